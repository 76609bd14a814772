package meta

import (
	"cmp"
	"slices"
	"sync"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// EachProblem calls work for every problem with its index and a backend; budget returns the
// evaluations of a run on it. Problems of different models run at the same time where b is a
// [rsie.Splitter], the dearest first, each on its share of the workers: their runs need not wait for
// each other. Problems that the host evaluates run one after another, as their owner may expect. After
// an error no further problem is begun; of several errors that of the first problem is returned.
func EachProblem(b rsie.Backend, problems []rsie.Problem, budget func(i int) int,
	work func(i int, b rsie.Backend) error) error {
	queue := queueOf(problems, budget)
	s, ok := b.(rsie.Splitter)
	var lanes []rsie.Backend
	if ok && len(queue) > 1 {
		var err error
		if lanes, err = s.Split(len(queue)); err != nil {
			return err
		}
	}
	if len(lanes) == 0 {
		lanes = []rsie.Backend{b}
	} else {
		defer func() {
			for _, l := range lanes {
				l.Close()
			}
		}()
	}
	errs := make([]error, len(problems))
	runLanes(lanes, queue, func(i int, b rsie.Backend) bool {
		errs[i] = work(i, b)
		return errs[i] == nil
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// queueOf returns the problems in the order of their start, those of the host together.
func queueOf(problems []rsie.Problem, budget func(i int) int) [][]int {
	var host []int
	var queue [][]int
	for i, p := range problems {
		if _, ok := p.(rsie.Modelled); ok {
			queue = append(queue, []int{i})
		} else {
			host = append(host, i)
		}
	}
	cost := func(item []int) float64 { return float64(budget(item[0])) * evaluationCost(problems[item[0]]) }
	slices.SortStableFunc(queue, func(x, y []int) int { return cmp.Compare(cost(y), cost(x)) })
	if host != nil {
		queue = append([][]int{host}, queue...)
	}
	return queue
}

// runLanes gives the queue to the lanes, until work returns false.
func runLanes(lanes []rsie.Backend, queue [][]int, work func(i int, b rsie.Backend) bool) {
	var mu sync.Mutex
	take := func() (items []int) {
		mu.Lock()
		defer mu.Unlock()
		if len(queue) > 0 {
			items, queue = queue[0], queue[1:]
		}
		return items
	}
	stop := func() {
		mu.Lock()
		defer mu.Unlock()
		queue = nil
	}
	var wait sync.WaitGroup
	for _, b := range lanes {
		wait.Go(func() {
			for items := take(); items != nil; items = take() {
				for _, i := range items {
					if !work(i, b) {
						stop()
						return
					}
				}
			}
		})
	}
	wait.Wait()
}
