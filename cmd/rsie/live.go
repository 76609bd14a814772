package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/alecthomas/kong"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/report/live"
)

// liveFlags say where a page of runs is served.
type liveFlags struct {
	TLSCert  string   `help:"Certificate of the page; needed where other machines can reach it." name:"tls-cert" placeholder:"FILE"`
	TLSKey   string   `help:"Its key." name:"tls-key" placeholder:"FILE"`
	Host     []string `help:"Host names that readers use, beyond loopback." placeholder:"NAME"`
	ReadOnly bool     `help:"Serve the page without pause, resume and stop." name:"read-only"`
}

// liveAddress is the flag --live, with or without an address.
type liveAddress string

// defaultAddress is loopback with any free port.
const defaultAddress = "127.0.0.1:0"

// Decode reads the flag for kong.
func (a *liveAddress) Decode(ctx *kong.DecodeContext) error {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		*a = defaultAddress
		return nil
	}
	*a = liveAddress(ctx.Scan.Pop().String())
	return nil
}

// IsBool tells kong that the flag may stand alone.
func (*liveAddress) IsBool() bool { return true }

// options are those of a server at an address.
func (f liveFlags) options(address string) live.Options {
	return live.Options{Address: address, Hosts: f.Host, Cert: f.TLSCert, Key: f.TLSKey, ReadOnly: f.ReadOnly, Describe: describeRun}
}

// serve shows runs until the server is closed.
func (f liveFlags) serve(e *env, address string, dirs []string) (*live.Server, error) {
	o := f.options(address)
	o.Runs, o.Say = dirs, func(link string) {
		fmt.Fprintf(e.stderr, "page: %s (works in one browser; another address follows when it is used)\n", link)
	}
	s, err := live.Start(o)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(e.stderr, "metrics: %s/metrics with the header Authorization: Bearer %s\n", s.URL(), s.Token())
	return s, nil
}

type watchCmd struct {
	Runs    []string `arg:"" optional:"" help:"Folders of runs, or folders that hold some. Default: runs." placeholder:"RUN"`
	Address string   `help:"HOST:PORT to listen on; beyond loopback it needs --tls-cert and --tls-key." default:"127.0.0.1:0" placeholder:"ADDR"`
	liveFlags
}

// Run serves the page until the user ends it.
func (c *watchCmd) Run(e *env) error {
	if len(c.Runs) == 0 {
		c.Runs = []string{"runs"}
	}
	dirs, err := runFolders(c.Runs)
	if err != nil {
		return err
	}
	s, err := c.serve(e, c.Address, dirs)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "watching %s; Ctrl-C ends the page, not the runs\n", count(len(dirs), "run"))
	<-e.ctx.Done()
	return s.Close()
}

// runFolders returns the folders of runs among and directly in the given ones.
func runFolders(given []string) ([]string, error) {
	var out []string
	for _, dir := range given {
		if exists(filepath.Join(dir, "run.db")) {
			out = append(out, dir)
			continue
		}
		found, err := filepath.Glob(filepath.Join(dir, "*", "run.db"))
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("%w: %s is no run and holds none; rsie evolve --out DIR begins one", rsie.ErrInvalid, dir)
		}
		for _, db := range found {
			out = append(out, filepath.Dir(db))
		}
	}
	return out, nil
}

// pilot lets a page see a run and steer it: it renews the heartbeat and takes orders while the
// engine works.
type pilot struct {
	dir    string
	ctx    context.Context // of the work; ended by the order to stop
	cancel context.CancelFunc
	ended  chan struct{}
	gone   sync.WaitGroup

	mu   sync.Mutex
	beat live.Beat
	goOn *sync.Cond
}

// orderEvery is how often orders are looked for.
const orderEvery = 250 * time.Millisecond

// newPilot begins to steer the run in dir.
func newPilot(parent context.Context, dir string) *pilot {
	p := &pilot{dir: dir, ended: make(chan struct{}), beat: live.Beat{State: live.Running, Phase: "starting"}}
	p.goOn = sync.NewCond(&p.mu)
	p.ctx, p.cancel = context.WithCancel(parent)
	context.AfterFunc(p.ctx, func() {
		p.mu.Lock()
		p.beat.State = live.Stopping
		p.mu.Unlock()
		p.goOn.Broadcast()
	})
	live.Clear(dir) // what a killed program left
	p.write()
	p.gone.Add(1)
	go p.steer()
	return p
}

func (p *pilot) steer() {
	defer p.gone.Done()
	tick := time.NewTicker(orderEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-p.ended:
			return
		case now := <-tick.C:
			changed := p.obey(live.TakeOrder(p.dir))
			if changed || now.Sub(last) >= live.BeatEvery {
				p.write()
				last = now
			}
		}
	}
}

// obey carries out an order and reports whether the state has changed.
func (p *pilot) obey(order string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.beat.State == live.Stopping {
		return false
	}
	switch order {
	case "pause":
		if p.beat.State == live.Running {
			p.beat.State = live.Pausing
		}
	case "resume":
		p.beat.State = live.Running
		p.goOn.Broadcast()
	case "stop":
		p.beat.State = live.Stopping
		p.cancel()
	}
	return order != ""
}

// pass is called by the engine between generations and rounds; it returns when the run may go on.
func (p *pilot) pass(phase string) {
	p.mu.Lock()
	p.beat.Phase = phase
	for p.beat.State == live.Pausing || p.beat.State == live.Paused {
		if p.beat.State == live.Pausing {
			p.beat.State = live.Paused
			p.mu.Unlock()
			p.write()
			p.mu.Lock()
			continue
		}
		p.goOn.Wait()
	}
	p.mu.Unlock()
	p.write()
}

// generation tells of a generation that is stored.
func (p *pilot) generation(g meta.Generation) {
	p.mu.Lock()
	b := &p.beat
	if b.Generation == 0 || g.Best > b.Best {
		b.Best = g.Best
	}
	b.Generation, b.Evaluations = g.Number+1, g.Evaluations
	p.mu.Unlock()
}

// write renews the heartbeat. A full disk stops no run for it.
func (p *pilot) write() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.beat.Write(p.dir, time.Now())
}

// land ends the steering and removes its files.
func (p *pilot) land() {
	close(p.ended)
	p.gone.Wait()
	p.cancel()
	live.Clear(p.dir)
	os.Remove(filepath.Join(p.dir, "live.json.part"))
}
