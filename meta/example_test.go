package meta_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

// bowl is a user's own problem: fitness is the squared distance to (0.6, -0.4).
type bowl struct{}

func (bowl) Shape() rsie.Shape {
	return rsie.Shape{Name: "bowl", Dim: 2, Blocks: []rsie.Block{{Rows: 1, Cols: 2, Std: 1}}}
}

func (bowl) Evaluate(_ context.Context, fitness, points []float64, _ rsie.Key) error {
	for i := range fitness {
		x, y := points[2*i]-0.6, points[2*i+1]+0.4
		fitness[i] = x*x + y*y
	}
	return nil
}

func open() (rsie.Backend, []*task.Task) {
	b, err := cpu.NewGonum(0)
	if err != nil {
		log.Fatal(err)
	}
	suite, err := task.Embedded("quick")
	if err != nil {
		log.Fatal(err)
	}
	return b, suite.Tasks
}

// The whole pipeline: learn strategies on tasks, take the universal one, train a new problem.
func Example() {
	b, tasks := open()
	defer b.Close()
	engine, err := meta.NewEngine(meta.Config{MetaPopulationSize: 10, MetaGenerations: 3,
		BaseTaskBudget: 500, FinalRuns: 2, Seed: 2, Backend: b})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.MetaTrain(context.Background(), tasks, nil); err != nil {
		log.Fatal(err)
	}
	best, found := engine.UniversalBestStrategy()
	fmt.Println("found:", found)

	config := best.ToEvolutionConfig()
	config.Backend, config.Task, config.Budget = b, "bowl", 2000
	factory := func(string) (rsie.Problem, error) { return bowl{}, nil }
	got, err := meta.NewTrainer(config, factory, nil).Train(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("evaluations:", got.Evaluations)
	fmt.Println("fitness below 0.01:", got.Fitness < 0.01)
	// Output:
	// found: true
	// evaluations: 2000
	// fitness below 0.01: true
}

func ExampleEngine_InitializeMetaPopulation() {
	b, _ := open()
	defer b.Close()
	engine, err := meta.NewEngine(meta.Config{MetaPopulationSize: 20, Seed: 1, Backend: b})
	if err != nil {
		log.Fatal(err)
	}
	all := engine.InitializeMetaPopulation()
	fmt.Println(len(all), "strategies, the first is", all[0].GenomeID)
	// Output: 20 strategies, the first is default
}

func ExampleEngine_EvaluateStrategy() {
	b, tasks := open()
	defer b.Close()
	engine, err := meta.NewEngine(meta.Config{BaseTaskBudget: 500, Seed: 1, Backend: b})
	if err != nil {
		log.Fatal(err)
	}
	score := func(name string) float64 {
		s, err := rsie.Baseline(name)
		if err != nil {
			log.Fatal(err)
		}
		m, err := engine.EvaluateStrategy(context.Background(), s, tasks)
		if err != nil {
			log.Fatal(err)
		}
		return engine.CalculateMetaFitness(m)
	}
	fmt.Println("snes beats random search:", score("snes") > score("random-search"))
	// Output: snes beats random search: true
}

func ExampleEngine_CrossoverStrategies() {
	b, _ := open()
	defer b.Close()
	engine, err := meta.NewEngine(meta.Config{Seed: 1, Backend: b})
	if err != nil {
		log.Fatal(err)
	}
	parents := engine.InitializeMetaPopulation()
	child, err := engine.CrossoverStrategies(parents[0], parents[1])
	if err != nil {
		log.Fatal(err)
	}
	mutant, err := engine.MutateStrategy(child)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(child.Validate() == nil, mutant.Validate() == nil, child.Digest() != mutant.Digest())
	// Output: true true true
}

func ExampleEngine_ExportLearnedStrategies() {
	b, tasks := open()
	defer b.Close()
	engine, err := meta.NewEngine(meta.Config{MetaPopulationSize: 6, MetaGenerations: 1,
		BaseTaskBudget: 60, FinalRuns: 2, Seed: 2, Backend: b})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.MetaTrain(context.Background(), tasks, nil); err != nil {
		log.Fatal(err)
	}
	var doc strings.Builder
	if err := engine.ExportLearnedStrategies(&doc); err != nil {
		log.Fatal(err)
	}
	specialist, found := engine.BestStrategyForTask(tasks[0].Name)
	fmt.Println(strings.Contains(doc.String(), "top_universal_strategies"), found, specialist.Validate() == nil)
	// Output: true true true
}

func ExampleLoadStrategies() {
	f, err := os.CreateTemp("", "*.json")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(f.Name())
	// A file with only the published fields is a complete strategy.
	fmt.Fprint(f, `{"genome_id": "mine", "selection_strategy": "rank", "population_size": 30}`)
	f.Close()
	all, err := meta.LoadStrategies(f.Name())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(all[0].GenomeID, all[0].Selection, all[0].PopulationSize, all[0].Mutation)
	// Output: mine rank 30 gaussian
}
