package cpu

import (
	"sync"
	"sync/atomic"
)

// span is a piece of one phase of an operation: rows, columns or the whole of a run.
type span struct{ run, from, to int }

// kernel works on one span. What it writes depends on the span alone, never on the worker, so
// results are the same for any number of workers; worker picks scratch memory.
type kernel func(c *call, worker int, s span)

// pool owns worker goroutines that live until close. The caller of each is worker 0.
type pool struct {
	wake  []chan struct{} // one per goroutine, workers 1 and up
	alive sync.WaitGroup
	busy  sync.WaitGroup

	// The phase in progress, written before the workers wake.
	call   *call
	kernel kernel
	taken  atomic.Int64
}

func newPool(workers int) *pool {
	p := &pool{wake: make([]chan struct{}, workers-1)}
	for i := range p.wake {
		p.wake[i] = make(chan struct{}, 1)
		p.alive.Add(1)
		go func() {
			defer p.alive.Done()
			for range p.wake[i] {
				p.work(i + 1)
				p.busy.Done()
			}
		}()
	}
	return p
}

// each runs k on every span of c and returns when all are done. Nothing is allocated.
func (p *pool) each(c *call, k kernel) {
	p.call, p.kernel = c, k
	p.taken.Store(0)
	helpers := max(min(len(p.wake), len(c.spans)-1), 0)
	p.busy.Add(helpers)
	for _, w := range p.wake[:helpers] {
		w <- struct{}{}
	}
	p.work(0)
	p.busy.Wait()
}

func (p *pool) work(worker int) {
	for {
		i := int(p.taken.Add(1)) - 1
		if i >= len(p.call.spans) {
			return
		}
		p.kernel(p.call, worker, p.call.spans[i])
	}
}

// close ends the goroutines and waits for them.
func (p *pool) close() {
	for _, w := range p.wake {
		close(w)
	}
	p.alive.Wait()
}
