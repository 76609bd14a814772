package bbob_test

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task/bbob"
)

func ExampleNew() {
	function, dim, instance, err := bbob.Parse("bbob/f1/d5/i1")
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := bbob.New(function, dim, instance)
	if err != nil {
		fmt.Println(err)
		return
	}
	origin := make([]float64, f.Dim())
	fmt.Printf("%s at the origin %.4f, lowest %.2f\n", f.Name(), f.Eval(origin), f.FOpt())
	fmt.Println("x_opt", f.XOpt())
	// Output:
	// bbob/f1/d5/i1 at the origin 92.3040, lowest 79.48
	// x_opt [0.2527999999999997 -1.1568 -0.7240000000000002 1.9264000000000001 -2.6808]
}

func ExampleNewNoisy() {
	n, err := bbob.NewNoisy(101, 5, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	points := make([]float64, 3*n.Dim()) // the origin three times
	fitness := make([]float64, 3)
	if err := n.EvalAll(fitness, points, rsie.NewKey(1)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f\n", fitness)
	// Output: [92.39 92.21 92.38]
}

func ExampleGenerateMixture() {
	m, err := bbob.GenerateMixture(5, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range m.Components() {
		fmt.Printf("f%d %.3f\n", c.Function, c.Weight)
	}
	// Output:
	// f1 0.528
	// f3 0.472
}
