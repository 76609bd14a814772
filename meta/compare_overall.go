package meta

import (
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// overall fills the rows over all tasks.
func (c *Comparison) overall(strategies []rsie.Strategy, key rsie.Key) error {
	for i, s := range strategies {
		quality, area := c.perTask(i)
		row := ComparisonRow{Strategy: s.GenomeID, Digest: s.Digest()}
		row.Quality = overTasks(quality, key)
		row.Area = overTasks(area, key)
		row.AOCC = c.meanAOCC(i)
		if i > 0 && len(c.Tasks) > 1 {
			_, reference := c.perTask(0)
			row.Cut = regretCut(reference, area, key)
		}
		c.Overall = append(c.Overall, row)
	}
	return testRows(c.Overall, func(i int) (quality, area []float64) {
		q, a := c.perTask(i)
		return bySeed(q), bySeed(a)
	})
}

// perTask returns the values of strategy i as [task][replicate].
func (c *Comparison) perTask(i int) (quality, area [][]float64) {
	for t := range c.Tasks {
		at := (t*len(c.Strategies) + i) * c.Runs
		q, a := valuesOf(c.Each[at:][:c.Runs])
		quality, area = append(quality, q), append(area, a)
	}
	return quality, area
}

// meanAOCC returns the mean over tasks of strategy i, nil unless all are functions.
func (c *Comparison) meanAOCC(i int) *float64 {
	mean := 0.0
	for _, t := range c.Tasks {
		a := t.Rows[i].AOCC
		if a == nil {
			return nil
		}
		mean += *a / float64(len(c.Tasks))
	}
	return &mean
}

// bySeed returns the mean over tasks of every replicate.
func bySeed(x [][]float64) []float64 {
	out := make([]float64, len(x[0]))
	for _, values := range x {
		for k, v := range values {
			out[k] += v / float64(len(x))
		}
	}
	return out
}

// overTasks returns the mean over tasks of the interquartile mean over seeds, with the 95 %
// percentile interval of a hierarchical bootstrap: each resample draws tasks, and seeds within
// each drawn task.
//
// Source: R. Agarwal et al., Deep reinforcement learning at the edge of the statistical
// precipice, NeurIPS 2021, section 4; tasks are drawn too because a strategy is meant for tasks
// outside the suite.
func overTasks(x [][]float64, key rsie.Key) Measure {
	var out Measure
	for _, values := range x {
		out.IQM += stats.InterquartileMean(values) / float64(len(x))
	}
	draw := IndexSource(key)
	seeds := make([]float64, len(x[0]))
	means := make([]float64, Resamples)
	for b := range means {
		for range x {
			values := x[draw(len(x))]
			for k := range seeds {
				seeds[k] = values[draw(len(values))]
			}
			means[b] += stats.InterquartileMean(seeds) / float64(len(x))
		}
	}
	out.Interval = [2]float64{stats.Quantile(means, 0.025), stats.Quantile(means, 0.975)}
	return out
}

// regretCut compares the areas of the reference with those of another strategy on the same tasks
// and keys, [task][replicate]. Each resample draws tasks, and seeds within each drawn task, the same
// for both. It is nil where the other has no regret.
func regretCut(reference, other [][]float64, key rsie.Key) *Cut {
	regrets := func(t, k int) (ours, theirs float64) { return 1 - reference[t][k], 1 - other[t][k] }
	ours, theirs := 0.0, 0.0
	for t := range reference {
		for k := range reference[t] {
			a, b := regrets(t, k)
			ours, theirs = ours+a, theirs+b
		}
	}
	if !(theirs > 0) {
		return nil
	}
	draw := IndexSource(key)
	cuts := make([]float64, Resamples)
	for b := range cuts {
		x, y := 0.0, 0.0
		for range reference {
			t := draw(len(reference))
			for range reference[t] {
				u, v := regrets(t, draw(len(reference[t])))
				x, y = x+u, y+v
			}
		}
		cuts[b] = 1 - x/max(y, 1e-12)
	}
	return &Cut{1 - ours/theirs, [2]float64{stats.Quantile(cuts, 0.025), stats.Quantile(cuts, 0.975)}}
}
