package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// limitedLoop is a loop of one run of 6 members with a limited-memory matrix.
func limitedLoop(t *testing.T, d, workers int, set func(*rsie.Run)) *loop {
	rows := rsie.LimitedVectors(d)
	l := newLoop(t, backend(t, workers), vectorShape(d), []int{6, rows}, func(r int, run *rsie.Run) {
		if r == 1 { // its archive makes room for the vectors of run 0, which lie behind its own rows
			run.Archive = uint32(rows)
			return
		}
		natural(run, 0)
		run.Scales, run.Covariance, run.Recombine = rsie.CodeNoScales, rsie.CodeLimited, rsie.CodeLogarithmic
		run.Mu, run.MuEff, run.WeightExponent, run.Control, run.StepGain = 3, 2.5, 1, rsie.CodeCumulative, 1
		run.PathRate, run.PathDamping, run.CovRankOne, run.CovRankMu = 0.3, 1, 0.4, 0.15
		run.Sigma, run.LearningRate = 0.7, 1
		if set != nil {
			set(run)
		}
	})
	return l
}

// denseT returns T of k vectors as a matrix, the literal product of the formula.
func denseT(l *loop, d, k int) [][]float64 {
	archive, t := l.get(l.state.Archive), &l.table[0]
	out := make([][]float64, d)
	for j := range out {
		out[j] = make([]float64, d)
		out[j][j] = 1
	}
	for i := range k {
		m := archive[(int(t.ArchiveAt)+int(t.Archive)+i)*l.state.Stride:][:d]
		rate := t.CovRankMu / math.Pow(1.5, float64(i))
		next := make([][]float64, d)
		for a := range next {
			next[a] = make([]float64, d)
			for b := range d {
				next[a][b] = (1 - rate) * out[a][b]
				for s := range d {
					next[a][b] += rate * m[a] * m[s] * out[s][b]
				}
			}
		}
		out = next
	}
	return out
}

func byVector(m [][]float64, v []float64) []float64 {
	out := make([]float64, len(m))
	for i, row := range m {
		for j, x := range row {
			out[i] += x * v[j]
		}
	}
	return out
}

// TestLimitedSteps follows generations of LM-MA-ES: samples are m + σ·T·z, and mean, path, step
// size and vectors are those of the algorithm's text, from the same z.
func TestLimitedSteps(t *testing.T) {
	const d = 7
	l := limitedLoop(t, d, 2, nil)
	run, rows := &l.table[0], rsie.LimitedVectors(d)
	kept := make([][]float64, rows)
	for i := range kept {
		kept[i] = make([]float64, d)
	}
	path, sigma := make([]float64, d), 1.0
	for n := range rows + 2 {
		l.table[0].Generation, l.table[1].Flags = uint32(n), 0
		mean := l.vector(0, rsie.VecMean)
		a := addressOf(run, 0)
		l.do(rsie.OpSample)
		matrix := denseT(l, d, min(n, rows))
		points, z := l.get(l.state.Next.Points), make([][]float64, 6)
		for i := range z {
			a.member = uint32(i)
			z[i] = make([]float64, d)
			normals(z[i], a, rsie.StreamSample)
			y := byVector(matrix, z[i])
			for j := range y {
				y[j] = mean[j] + 0.7*sigma*y[j]
			}
			close10(t, "sample", points[i*l.state.Stride:][:d], y)
		}
		fitness := make([]float64, 6)
		order := []int{0, 1, 2, 3, 4, 5}
		for i := range fitness {
			fitness[i] = rotated(points[i*l.state.Stride:][:d])
		}
		slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, fitness[a]-fitness[b])) })
		l.put(l.state.Next.Fitness, 0, fitness)
		l.do(rsie.OpRank, rsie.OpUpdate)

		total, zw := 0.0, make([]float64, d)
		for k := range 3 {
			w := math.Log(3.5) - math.Log(float64(k+1))
			total += w
			for j, v := range z[order[k]] {
				zw[j] += w * v
			}
		}
		length := 0.0
		for j := range zw {
			zw[j] /= total
			path[j] = 0.7*path[j] + math.Sqrt(0.3*1.7*2.5)*zw[j]
			length += path[j] * path[j]
		}
		moved := byVector(matrix, zw)
		for j := range moved {
			moved[j] = mean[j] + 0.7*sigma*moved[j]
		}
		sigma *= math.Exp(0.3 * (math.Sqrt(length)/expectedLength(d) - 1))
		archive := l.get(l.state.Archive)
		for i := range kept {
			rate := 0.4 / math.Pow(4, float64(i))
			for j := range zw {
				kept[i][j] = (1-rate)*kept[i][j] + math.Sqrt(2.5*rate*(2-rate))*zw[j]
			}
			close10(t, "vector", archive[(int(run.ArchiveAt)+i)*l.state.Stride:][:d], kept[i])
		}
		close10(t, "mean", l.vector(0, rsie.VecMean), moved)
		close10(t, "path", l.vector(0, rsie.VecStepPath), path)
		close10(t, "sigma", []float64{l.memory(0, rsie.MemSigma)}, []float64{sigma})
	}
}

// TestLimitedRestart: a start forgets the vectors.
func TestLimitedRestart(t *testing.T) {
	l := limitedLoop(t, 7, 1, nil)
	l.generations(5)
	if v := l.get(l.state.Archive); slices.Max(v) == 0 {
		t.Fatal("nothing was remembered")
	}
	l.table[0].Flags |= rsie.FlagBegin
	l.do(rsie.OpInitialise)
	if v := l.get(l.state.Archive); slices.Max(v) != 0 || slices.Min(v) != 0 {
		t.Error("vectors of the run before are left")
	}
}

// TestLimitedRoom: rows that the state lacks are an error.
func TestLimitedRoom(t *testing.T) {
	l := limitedLoop(t, 7, 1, nil)
	l.table[0].Archive = 1
	if err := l.g.Do(l.state, l.table, nil, []rsie.Op{rsie.OpSample}); err == nil {
		t.Error("vectors beyond the archive were accepted")
	}
}
