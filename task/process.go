package task

import (
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// processRange generates the prediction of the next value of a random series from a window of
// values, for a network that reads the window at once (dense) or step by step (elman, gru):
//
//   - ar: x_t = Σ a_k x_(t-k) + e_t, stationary, of order 1 to 4.
//   - logistic: x_(t+1) = r x_t (1 - x_t), r from 3.6 to 4.
//   - henon: x_(t+1) = 1 - a x_t² + 0.3 x_(t-1), a from 1.2 to 1.4.
//   - mackey_glass: x' = 0.2 x(t-tau)/(1 + x(t-tau)^10) - 0.1 x, tau from 12 to 24, every
//     third unit of time. Source: M. Mackey, L. Glass, Science 197, 1977.
//   - sines: two to four sines of random period, amplitude and phase.
//
// Values are observed with Noise and standardised over the training positions; parts follow
// each other in time, 60, 20 and 20 %.
type processRange struct {
	budgetRange  `yaml:",inline"`
	networkRange `yaml:",inline"`
	sampleRange  `yaml:",inline"`
	Process      names `yaml:"process"` // drawn from these, default all
	Network      names `yaml:"network"` // drawn from dense, elman, gru; default all
	Window       span  `yaml:"window"`  // default 3 to 10
	Noise        span  `yaml:"noise"`   // deviations of the series, default 0 to 0.2
}

var processes = names{"ar", "logistic", "henon", "mackey_glass", "sines"}

func newProcess() *processRange {
	g := &processRange{budgetRange: newBudget(), networkRange: newNetwork(), sampleRange: newSamples(),
		Process: processes, Network: networkNames[1:], Window: span{3, 10}, Noise: span{0, 0.2}}
	g.Hidden = span{3, 12}
	return g
}

func (g *processRange) check() error { return nil }

// build draws the process and its course.
func (g *processRange) build(t *Task, d draws) error {
	window := d.whole("window", g.Window)
	m := g.dense(d, window, 1, rsie.MeanSquared)
	if kind := rsie.Network(slices.Index(networkNames, d.pick("network", g.Network))); kind != rsie.Dense {
		m = &rsie.Model{Network: kind, Layers: []int{1, d.whole("hidden", g.Hidden), 1}, Steps: window,
			Loss: rsie.MeanSquared}
		if kind == rsie.Elman {
			m.Activation = []rsie.Activation{rsie.Tanh}
		}
	}
	n := (g.rows(d, m)+window)*10/6 + 5 // the last two parts hold a window of targets at least
	if n < 5*window+5 {
		n = 5*window + 5
	}
	name := d.pick("process", g.Process)
	values := course(name, n, d)
	mean, std := meanStd(values)
	values = standardised(values, mean, std)
	noise, from := d.between("noise", g.Noise), d.stream("errors")
	for i := range values {
		values[i] += float64(noise * from.normal())
	}
	at := borders(n)
	mean, std = meanStd(values[:at[1]])
	values = standardised(values, mean, std)
	p := &modelProblem{name: t.Name, model: m}
	for part := rsie.Training; part <= rsie.Test; part++ {
		p.rows[part] = windows([][]float64{values}, values, window, at[part-1], at[part])
	}
	return t.complete(p, fmt.Sprintf("%s series: window %d, %s network, noise %.2g", name, window,
		networkNames[m.Network], noise))
}

// course returns n values of a process after it has forgotten its start.
func course(name string, n int, d draws) []float64 {
	const forget = 200
	s := d.stream("course")
	out := make([]float64, n+forget)
	switch name {
	case "ar":
		autoregression(out, s)
	case "logistic":
		r, x := 3.6+0.4*s.uniform(), 0.1+0.8*s.uniform()
		for t := range out {
			x = min(max(r*x*(1-x), 1e-9), 1)
			out[t] = x
		}
	case "henon":
		a, x, before := 1.2+0.2*s.uniform(), 0.1*s.uniform(), 0.0
		for t := range out {
			// The clamp brings the few starts outside the basin of the attractor back.
			x, before = min(max(1-float64(a*x*x)+float64(0.3*before), -1.4), 1.4), x
			out[t] = x
		}
	case "mackey_glass":
		mackeyGlass(out, 12+s.below(13), s)
	default:
		for range 2 + s.below(3) {
			period, size, phase := 3*math.Pow(10, s.uniform()), 0.3+s.uniform(), 2*math.Pi*s.uniform()
			for t := range out {
				out[t] += float64(size * math.Sin(2*math.Pi*float64(t)/period+phase))
			}
		}
	}
	return out[forget:]
}

// autoregression fills out with a stationary process: the partial autocorrelations lie in
// (-0.9, 0.9) and give the coefficients by the Levinson recursion.
func autoregression(out []float64, s *stream) {
	order := 1 + s.below(4)
	a := make([]float64, order)
	for k := range order {
		r := 1.8*s.uniform() - 0.9
		before := slices.Clone(a[:k])
		for j := range k {
			a[j] = before[j] - float64(r*before[k-1-j])
		}
		a[k] = r
	}
	for t := range out {
		out[t] = s.normal()
		for k := 0; k < order && k < t; k++ {
			out[t] += float64(a[k] * out[t-1-k])
		}
	}
}

// mackeyGlass fills out by Euler steps of one unit, every third kept.
func mackeyGlass(out []float64, tau int, s *stream) {
	const every = 3
	all := make([]float64, every*len(out)+tau+1)
	for t := range tau + 1 {
		all[t] = 1.2 + 0.2*s.uniform()
	}
	for t := tau; t+1 < len(all); t++ {
		late := all[t-tau]
		all[t+1] = all[t] + 0.2*late/(1+math.Pow(late, 10)) - 0.1*all[t]
	}
	for t := range out {
		out[t] = all[tau+1+every*t]
	}
}
