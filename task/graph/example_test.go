package graph_test

import (
	"context"
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task/graph"
)

// exclusiveOr is a network 2-4-1 with tanh on the four rows of exclusive or, as -1 and 1.
func exclusiveOr(g *gorgonia.ExprGraph) (graph.Model, error) {
	x := gorgonia.NodeFromAny(g, tensor.New(tensor.WithShape(4, 2),
		tensor.WithBacking([]float64{-1, -1, -1, 1, 1, -1, 1, 1})), gorgonia.WithName("x"))
	y := gorgonia.NodeFromAny(g, tensor.New(tensor.WithShape(4, 1),
		tensor.WithBacking([]float64{-1, 1, 1, -1})), gorgonia.WithName("y"))
	matrix := func(name string, rows, cols int) *gorgonia.Node {
		return gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(rows, cols), gorgonia.WithName(name))
	}
	w0, b0, w1, b1 := matrix("w0", 2, 4), matrix("b0", 1, 4), matrix("w1", 4, 1), matrix("b1", 1, 1)
	layer := func(in, w, b *gorgonia.Node) *gorgonia.Node {
		product := gorgonia.Must(gorgonia.Mul(in, w))
		return gorgonia.Must(gorgonia.Tanh(gorgonia.Must(gorgonia.BroadcastAdd(product, b, nil, []byte{0}))))
	}
	out := layer(layer(x, w0, b0), w1, b1)
	loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(out, y))))))
	return graph.Model{Params: []*gorgonia.Node{w0, b0, w1, b1}, Loss: loss,
		Outputs: []*gorgonia.Node{out}, Inputs: []*gorgonia.Node{x}}, nil
}

// A strategy trains the weights of a gorgonia graph.
func Example() {
	backend, err := cpu.NewGonum(0)
	if err != nil {
		log.Fatal(err)
	}
	defer backend.Close()
	s := rsie.DefaultStrategy()
	s.MutationStrength, s.MutationRate = 0.3, 0.5
	config := s.ToEvolutionConfig()
	config.Backend, config.Task, config.Budget = backend, "xor", 4000
	trainer := meta.NewTrainer(config, graph.Factory(map[string]graph.Build{"xor": exclusiveOr}), nil)
	trained, err := trainer.Train(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	p, err := graph.New("xor", exclusiveOr)
	if err != nil {
		log.Fatal(err)
	}
	out, err := p.Outputs(trained.Point)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("mean squared error below 0.01:", trained.Fitness < 0.01)
	for i, v := range out[0].Data().([]float64) {
		fmt.Printf("row %d: %+.0f\n", i, v)
	}
	// Output:
	// mean squared error below 0.01: true
	// row 0: -1
	// row 1: +1
	// row 2: +1
	// row 3: -1
}
