package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// progress shows a bar with the time left on a terminal, one line per generation elsewhere.
type progress struct {
	w     io.Writer
	total int
	pool  *mpb.Progress
	bar   *mpb.Bar
	began time.Time
	done  int                    // generations since began
	text  atomic.Pointer[string] // right of the bar
}

func newProgress(w io.Writer, total int) *progress {
	p := &progress{w: w, total: total, began: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.pool = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))
		p.bar = p.pool.AddBar(int64(total),
			mpb.PrependDecorators(decor.Name("generation "), decor.CountersNoUnit("%d/%d")),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
				if t := p.text.Load(); t != nil {
					return *t
				}
				return ""
			})))
	}
	return p
}

// generation reports one generation of level 2; meta-fitness is maximised.
func (p *progress) generation(g meta.Generation) {
	p.done++
	left := time.Since(p.began) / time.Duration(p.done) * time.Duration(p.total-g.Number-1)
	if p.bar != nil {
		text := fmt.Sprintf("best %.3f  left %s", g.Best, left.Round(time.Second))
		p.text.Store(&text)
		p.bar.SetCurrent(int64(g.Number + 1))
	} else {
		fmt.Fprintf(p.w, "generation %d/%d  best meta-fitness %.4f  median %.4f  %d evaluations  best: %s\n",
			g.Number+1, p.total, g.Best, g.Median, g.Evaluations, g.Summary)
	}
	if g.Number+1 == p.total {
		p.close()
	}
}

// say reports what is being done besides generations.
func (p *progress) say(text string) {
	switch {
	case p.bar == nil:
		fmt.Fprintln(p.w, text)
	case strings.HasPrefix(text, "warning:"):
		fmt.Fprintln(p.pool, text) // above the bar, where it stays
	default:
		p.text.Store(&text)
	}
}

// close ends the bar; it may be called twice.
func (p *progress) close() {
	if p.bar != nil {
		p.bar.Abort(false)
		p.pool.Wait()
		p.bar = nil
	}
}
