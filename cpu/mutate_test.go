package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// mutated breeds children of a population whose members are all x, and passes them on.
func mutated(t *testing.T, shape rsie.Shape, x []float64, generations int, set func(*rsie.Run),
	child func(l *loop, m int, y []float64)) {
	t.Helper()
	l := newLoop(t, backend(t, 2), shape, []int{20}, func(_ int, r *rsie.Run) {
		r.CrossoverRate, r.DiversityThreshold = 0, 0
		set(r)
	})
	for i := range 20 {
		l.put(l.state.Next.Points, i*l.state.Stride, x)
	}
	l.generation()
	for range generations {
		l.table[0].Generation++
		l.do(rsie.OpBreed)
		points := l.get(l.state.Next.Points)
		for i := range 20 {
			child(l, i, l.point(points, 0, i))
		}
	}
}

func slope(n int) []float64 {
	x := make([]float64, n)
	for j := range x {
		x[j] = 1 + float64(j)/8
	}
	return x
}

// TestGaussian checks the rate, mean and variance of changes over 200,000 genes, with a size
// that is no multiple of four.
func TestGaussian(t *testing.T) {
	for _, rate := range []float64{0, 0.01, 0.3, 1} {
		x := slope(101)
		changed, sum, square, fourth, total := 0, 0., 0., 0., 0
		mutated(t, vectorShape(101), x, 100, func(r *rsie.Run) { r.Rate, r.Strength = rate, 0.25 },
			func(l *loop, m int, y []float64) {
				z, a := make([]float64, 101), addressOf(&l.table[0], m)
				normals(z, a, rsie.StreamMutate)
				k, next := 0, gapAt(a, 0, rate)
				for j, v := range y {
					total++
					want := x[j]
					if j == next {
						want += 0.25 * z[k]
						k++
						next = j + 1 + gapAt(a, k, rate)
					}
					if math.Abs(v-want) > 1e-14 {
						t.Fatalf("rate %g: gene %d is %g, want %g", rate, j, v, want)
					}
					if d := v - x[j]; d != 0 {
						changed++
						sum, square, fourth = sum+d, square+d*d, fourth+d*d*d*d
					}
				}
			})
		n := float64(total)
		if math.Abs(float64(changed)-rate*n) > 5*math.Sqrt(n*rate*(1-rate)) {
			t.Errorf("rate %g: %d of %d genes changed", rate, changed, total)
		}
		if k := float64(changed); k > 0 {
			variance := square / k
			if math.Abs(sum/k) > 5*0.25/math.Sqrt(k) || math.Abs(variance/0.0625-1) > 5*math.Sqrt(2/k) {
				t.Errorf("rate %g: mean %g, variance %g, want 0 and 0.0625", rate, sum/k, variance)
			}
			if kurtosis := fourth / k / (variance * variance); math.Abs(kurtosis-3) > 5*math.Sqrt(24/k) {
				t.Errorf("rate %g: kurtosis %g, want 3", rate, kurtosis)
			}
		}
	}
}

// gapAt returns the k-th number of genes that are left alone, as documented at gaps.
func gapAt(a address, k int, rate float64) int {
	switch rate {
	case 0:
		return math.MaxInt32
	case 1:
		return 0
	}
	u := rsie.Uniform(a.element(k, rsie.StreamMutateMask))
	return int(math.Floor(math.Log(u) / math.Log(1-rate)))
}

// TestGaps checks the number of mutated genes, how often two neighbours are mutated and that the
// genes are the same however many are asked for at a time.
func TestGaps(t *testing.T) {
	const n = 200_000
	a := address{key: rsie.NewKey(11), member: 1, generation: 1, run: 1}
	for _, rate := range []float64{0, 1e-9, 0.001, 0.1, 0.5, 0.99, 1 - 1e-9, 1, 2} {
		list := func(lot int) (out []int32) {
			g, genes := gaps{a: &a, inverse: inverseGap(rate)}, make([]int32, lot)
			for count := lot; count == lot; {
				count = g.next(genes, n)
				out = append(out, genes[:count]...)
			}
			return out
		}
		genes := list(walkLot)
		if !slices.Equal(genes, list(4)) {
			t.Errorf("rate %g: other genes when four are asked for at a time", rate)
		}
		neighbours := 0
		for i, j := range genes {
			if i > 0 && j <= genes[i-1] || j < 0 || j >= n {
				t.Fatalf("rate %g: gene %d after %d", rate, j, genes[max(i-1, 0)])
			}
			if i > 0 && j == genes[i-1]+1 {
				neighbours++
			}
		}
		p := min(rate, 1)
		for name, c := range map[string][2]float64{"genes": {float64(len(genes)), p},
			"neighbours": {float64(neighbours), p * p}} {
			// Three times the variance of independent pairs bounds that of overlapping ones.
			if sd := math.Sqrt(3 * n * c[1] * (1 - c[1])); math.Abs(c[0]-n*c[1]) > 5*sd+1.1 {
				t.Errorf("rate %g: %g %s, want about %g", rate, c[0], name, n*c[1])
			}
		}
	}
}

// TestDropout checks that mutated genes are 0, at the rate, and the others untouched.
func TestDropout(t *testing.T) {
	x := slope(102)
	zero, total := 0, 0
	mutated(t, vectorShape(102), x, 50, func(r *rsie.Run) { r.Rate, r.Mutation = 0.2, rsie.CodeDropout },
		func(_ *loop, _ int, y []float64) {
			for j, v := range y {
				total++
				if v == 0 {
					zero++
				} else if v != x[j] {
					t.Fatalf("gene %d is %g, want 0 or %g", j, v, x[j])
				}
			}
		})
	if n := float64(total); math.Abs(float64(zero)-0.2*n) > 5*math.Sqrt(n*0.16) {
		t.Errorf("%d of %d genes are 0, want a fifth", zero, total)
	}
}

// TestAdaptiveRate checks that the rate grows to the double as spread is lost.
func TestAdaptiveRate(t *testing.T) {
	for _, c := range [][3]float64{{0.1, 1, 0.1}, {0.1, 0.25, 0.175}, {0.1, 0, 0.2}, {0.1, 3, 0.1}, {0.8, 0.1, 1}} {
		changed, total, x := 0, 0, slope(100)
		l := newLoop(t, backend(t, 1), vectorShape(100), []int{20}, func(_ int, r *rsie.Run) {
			r.CrossoverRate, r.DiversityThreshold, r.Rate = 0, 0, c[0]
			r.Flags |= rsie.FlagAdaptive
		})
		for i := range 20 {
			l.put(l.state.Next.Points, i*l.state.Stride, x)
		}
		l.generation()
		l.setMemory(0, rsie.MemSpread0, 2)
		l.setMemory(0, rsie.MemSpread, 2*c[1])
		for range 20 {
			l.table[0].Generation++
			l.do(rsie.OpBreed)
			points := l.get(l.state.Next.Points)
			for i := range 20 {
				for j, v := range l.point(points, 0, i) {
					total++
					if v != x[j] {
						changed++
					}
				}
			}
		}
		if n := float64(total); math.Abs(float64(changed)-c[2]*n) > 5*math.Sqrt(n*c[2]*(1-c[2])) {
			t.Errorf("spread ratio %g: %d of %d genes changed, want a share of %g", c[1], changed, total, c[2])
		}
	}
}

// TestAdaptiveStep checks that adaptive mutation scales the same changes by the step and that
// gaussian mutation does not.
func TestAdaptiveStep(t *testing.T) {
	for mutation, want := range map[uint8]float64{rsie.CodeAdaptive: 3, rsie.CodeGaussian: 1} {
		children := func(step float64) []float64 {
			l := ready(t, tenValues, func(r *rsie.Run) { r.Mutation, r.Rate = mutation, 1 })
			for i := range 10 {
				l.put(l.state.Now.Points, i*l.state.Stride, make([]float64, 3))
			}
			l.setMemory(0, rsie.MemStep, step)
			l.table[0].Generation = 1
			l.do(rsie.OpBreed)
			return l.get(l.state.Next.Points)
		}
		one, three := children(1), children(3)
		for i := range one {
			if math.Abs(three[i]-want*one[i]) > 1e-12 {
				t.Fatalf("mutation %d: change %g at step 1, %g at step 3", mutation, one[i], three[i])
			}
		}
	}
}

// TestSVDMutation checks per child and matrix: no drawn value leaves the bits; otherwise the
// singular values, and they alone, are scaled by exp of a normal number at the rate, the
// factors stay those of the matrix, and vectors are mutated as by gaussian.
func TestSVDMutation(t *testing.T) {
	// No block but the first starts at a multiple of four.
	m := &rsie.Model{Network: rsie.Dense, Layers: []int{7, 5, 9, 3}}
	shape := rsie.Shape{Name: "odd", Dim: m.Dim(), Blocks: m.Blocks()}
	x := make([]float64, shape.Dim)
	normals(x, address{key: rsie.NewKey(9)}, rsie.StreamInitialise)
	kept, values, scaled, bias, biases := 0, 0, 0, 0, 0
	sum, square := 0., 0.
	mutated(t, shape, x, 50, func(r *rsie.Run) { r.Mutation, r.Rate, r.Strength = rsie.CodeSVD, 0.1, 0.5 },
		func(l *loop, m int, y []float64) {
			z, y1, a := make([]float64, shape.Dim), make([]float64, shape.Dim), addressOf(&l.table[0], m)
			normals(z, a, rsie.StreamFactor)
			normals(y1, a, rsie.StreamMutate)
			hit := func(j int) float64 {
				if rsie.Uniform(a.element(j, rsie.StreamMutateMask)) < 0.1 {
					return 0.5
				}
				return 0
			}
			f := l.state.Next.Factors.(*buffer).floats[m*l.state.FactorLen:]
			for i, b := range shape.Blocks {
				before, after := x[b.Offset:][:b.Rows*b.Cols], y[b.Offset:][:b.Rows*b.Cols]
				n := factorSize(b)
				if n == 0 {
					for j := range before {
						biases++
						if want := before[j] + hit(b.Offset+j)*y1[b.Offset+j]; math.Abs(after[j]-want) > 1e-14 {
							t.Fatalf("block %d: element %d is %g, want %g", i, j, after[j], want)
						}
						if before[j] != after[j] {
							bias++
						}
					}
					continue
				}
				start, rebuilt := make([]float64, n), make([]float64, len(before))
				decompose(start, before, b.Rows, b.Cols)
				_, s0, _ := split(start, b.Rows, b.Cols)
				_, s1, _ := split(f[:n], b.Rows, b.Cols)
				compose(rebuilt, f[:n], b.Rows, b.Cols)
				if l.state.Next.Factored.(*buffer).indices[m*len(shape.Blocks)+i] != 1 {
					t.Fatalf("block %d: factors not valid", i)
				}
				drawn := 0
				for k := range s0 {
					values++
					want := s0[k] * math.Exp(hit(b.Offset+k)*z[b.Offset+k])
					if math.Abs(s1[k]-want) > 1e-13*want {
						t.Fatalf("block %d: singular value %d is %g, want %g", i, k, s1[k], want)
					}
					if ratio := math.Log(s1[k] / s0[k]); ratio != 0 {
						drawn++
						sum, square = sum+ratio, square+ratio*ratio
					}
				}
				scaled += drawn
				if drawn == 0 {
					kept++
					if !slices.Equal(before, after) {
						t.Fatalf("block %d changed without a drawn value", i)
					}
				} else if slices.Equal(before, after) {
					t.Fatalf("block %d did not change", i)
				}
				for j := range rebuilt {
					if math.Abs(rebuilt[j]-after[j]) > 1e-12 {
						t.Fatalf("block %d: factors give %g, the matrix has %g", i, rebuilt[j], after[j])
					}
				}
				f = f[n:]
			}
		})
	n, k := float64(values), float64(scaled)
	vectors := float64(biases)
	if math.Abs(k-0.1*n) > 5*math.Sqrt(n*0.09) || math.Abs(float64(bias)-0.1*vectors) > 5*math.Sqrt(vectors*0.09) {
		t.Errorf("%d of %d values and %d of %d biases changed, want a tenth", scaled, values, bias, biases)
	}
	if math.Abs(sum/k) > 5*0.5/math.Sqrt(k) || math.Abs(square/k-0.25) > 5*0.25*math.Sqrt(2/k) {
		t.Errorf("log of the factor: mean %g, variance %g, want 0 and 0.25", sum/k, square/k)
	}
	if kept == 0 {
		t.Error("every matrix changed")
	}
}

// TestFactorsAfterCrossover checks that swapping takes factors along and averaging drops those
// it does not need.
func TestFactorsAfterCrossover(t *testing.T) {
	for _, crossover := range []uint8{rsie.CodeSwapping, rsie.CodeAveraging, rsie.CodeWeightedMerge} {
		// Rows 0 to 3 are survivors; a mean has no factors unless one parent is both.
		least := 3
		if crossover == rsie.CodeSwapping {
			least = 15
		}
		if with, without := factorsAfter(t, crossover, 0); without == 0 || with < least {
			t.Errorf("crossover %d: %d matrices with and %d without factors", crossover, with, without)
		}
		if with, without := factorsAfter(t, crossover, 1); with < 16*3 || without > 4*3 {
			t.Errorf("crossover %d, all mutated: %d matrices with and %d without factors", crossover, with, without)
		}
	}
}

// factorsAfter breeds children of a population whose odd members have no factors, checks that
// valid factors are those of their matrix, and counts.
func factorsAfter(t *testing.T, crossover uint8, rate float64) (with, without int) {
	t.Helper()
	shape := benchShape()
	blocks := len(shape.Blocks)
	l := newLoop(t, backend(t, 1), shape, []int{20}, func(_ int, r *rsie.Run) {
		r.Mutation, r.Rate, r.CrossoverRate, r.Crossover = rsie.CodeSVD, rate, 1, crossover
		r.DiversityThreshold = 0
	})
	l.generation()
	l.fill()
	marks := l.get(l.state.Now.Factored)
	for k := range marks {
		marks[k] *= float64(1 - k/blocks&1)
	}
	l.put(l.state.Now.Factored, 0, marks)
	for m := 1; m < 20; m += 2 {
		l.put(l.state.Now.Factors, m*l.state.FactorLen, make([]float64, l.state.FactorLen))
	}
	// The marks of the generation before the last say nothing.
	l.put(l.state.Next.Factored, 0, slices.Repeat([]float64{1}, len(marks)))
	l.do(rsie.OpBreed, rsie.OpSurvive)
	points, factors := l.get(l.state.Next.Points), l.get(l.state.Next.Factors)
	valid := l.get(l.state.Next.Factored)
	for m := range 20 {
		f := factors[m*l.state.FactorLen:]
		for i, b := range shape.Blocks {
			n := factorSize(b)
			own := f[:n]
			f = f[n:]
			switch {
			case n == 0:
				continue
			case valid[m*blocks+i] == 0:
				without++
				continue
			}
			with++
			y := make([]float64, b.Rows*b.Cols)
			compose(y, own, b.Rows, b.Cols)
			for j, v := range l.point(points, 0, m)[b.Offset:][:len(y)] {
				if math.Abs(y[j]-v) > 1e-12 {
					t.Fatalf("crossover %d: member %d block %d: factors of another matrix", crossover, m, i)
				}
			}
		}
	}
	return with, without
}

// TestBox checks that every mutation keeps a bounded point in the box and that a gaussian one
// does not pile up at its border.
func TestBox(t *testing.T) {
	shape := rsie.Shape{Name: "box", Dim: 40, Lower: 2, Upper: 5, Blocks: []rsie.Block{{Rows: 5, Cols: 8}}}
	for mutation := rsie.CodeGaussian; mutation <= rsie.CodeAdaptive; mutation++ {
		border, total := 0, 0
		x := slices.Repeat([]float64{2.1}, 40)
		mutated(t, shape, x, 5, func(r *rsie.Run) { r.Mutation, r.Rate, r.Strength = mutation, 0.5, 0.4 },
			func(_ *loop, _ int, y []float64) {
				for _, v := range y {
					total++
					if !(v >= 2 && v <= 5) {
						t.Fatalf("mutation %d gives %g, want within [2, 5]", mutation, v)
					}
					if v == 2 || v == 5 {
						border++
					}
				}
			})
		switch mutation {
		case rsie.CodeGaussian, rsie.CodeAdaptive:
			if border > 0 {
				t.Errorf("mutation %d: %d of %d at the border", mutation, border, total)
			}
		case rsie.CodeDropout:
			if math.Abs(float64(border)-0.5*float64(total)) > 5*math.Sqrt(0.25*float64(total)) {
				t.Errorf("dropout: %d of %d at the border", border, total)
			}
		}
	}
}
