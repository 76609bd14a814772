package cpu

import (
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestWords compares the fast words with the contract's.
func TestWords(t *testing.T) {
	for i := range uint32(2000) {
		a := address{rsie.NewKey(uint64(i) * 0x9e3779b97f4a7c15), i * 77, i * 3001, i * 4099 & (1<<24 - 1)}
		s := rsie.Stream(1 + i%11)
		want := a.key.Words(i*65537, a.member, a.generation, a.run, s)
		if got := a.quad(int(i*65537), s); got != want {
			t.Fatalf("words at %d: %x, want %x", i, got, want)
		}
		if got := a.element(int(4*i+i%4), s); got != a.key.Words(i, a.member, a.generation, a.run, s)[i%4] {
			t.Fatalf("element %d: %x", 4*i+i%4, got)
		}
	}
}

// TestGauss compares Box-Muller by tables with package math, at the ends of the range too.
func TestGauss(t *testing.T) {
	ends := []uint32{0, 1 << 8, 1<<32 - 1, 1 << 31, 0xdeadbeef, 0x3fffffff}
	for _, w0 := range ends {
		for _, w1 := range ends {
			z0, z1, z2, z3 := gauss(w0, w1, w1, w0)
			for i, w := range [2][2]uint32{{w0, w1}, {w1, w0}} {
				r := math.Sqrt(-2 * math.Log(rsie.Uniform(w[0])))
				sin, cos := math.Sincos(2 * math.Pi * rsie.Uniform(w[1]))
				got := [2][2]float64{{z0, z1}, {z2, z3}}[i]
				if math.Abs(got[0]-r*cos) > 1e-14 || math.Abs(got[1]-r*sin) > 1e-14 {
					t.Errorf("words %x: %v, want %g %g", w, got, r*cos, r*sin)
				}
			}
		}
	}
}

// TestNormals checks moments of 2^20 numbers within five standard errors, and that a shorter
// slice is a prefix of a longer one.
func TestNormals(t *testing.T) {
	const n = 1 << 20
	z := make([]float64, n)
	a := address{key: rsie.NewKey(3), member: 9, generation: 2, run: 5}
	normals(z, a, rsie.StreamSample)
	var sum [5]float64
	for _, v := range z {
		for p, power := 1, v; p <= 4; p, power = p+1, power*v {
			sum[p] += power / n
		}
	}
	for p, want := range []float64{0, 0, 1, 0, 3} {
		if bound := 5 * []float64{0, 1, 1.42, 3.88, 9.8}[p] / math.Sqrt(n); math.Abs(sum[p]-want) > bound {
			t.Errorf("moment %d is %g, want %g within %g", p, sum[p], want, bound)
		}
	}
	for _, length := range []int{1, 2, 3, 5, 31} {
		y := make([]float64, length)
		normals(y, a, rsie.StreamSample)
		for j := range y {
			if y[j] != z[j] {
				t.Fatalf("element %d of %d is %g, want %g", j, length, y[j], z[j])
			}
		}
	}
}

// TestHits checks the events against the uniforms one by one, certain and impossible included.
func TestHits(t *testing.T) {
	a := address{key: rsie.NewKey(11), member: 1, generation: 1, run: 1}
	for _, rate := range []float64{0, 1e-9, 0.001, 0.1, 0.5, 1 - 1e-9, 1} {
		count, limit := 0, limitOf(rate)
		// The last value that counts has its uniform below the rate, the next one has not.
		last, next := (float64(limit)-0.5)*0x1p-24, (float64(limit)+0.5)*0x1p-24
		if limit > 0 && last >= rate || limit < certain && next < rate {
			t.Errorf("rate %g: limit %d", rate, limit)
		}
		for block := range 4096 {
			hit := hits(&a, block, limit)
			for k := range 4 {
				u := rsie.Uniform(a.element(4*block+k, rsie.StreamMutateMask))
				if got := hit>>k&1 == 1; got != (u < rate) {
					t.Fatalf("rate %g, uniform %g: hit %v", rate, u, got)
				}
				count += int(hit >> k & 1)
			}
		}
		if sd := math.Sqrt(16384 * rate * (1 - rate)); math.Abs(float64(count)-16384*rate) > 5*sd+1e-3 {
			t.Errorf("rate %g: %d events of 16384", rate, count)
		}
	}
}

func BenchmarkWords(b *testing.B) {
	a := address{key: rsie.NewKey(7), member: 3, generation: 4, run: 5}
	sum := uint32(0)
	for i := range b.N {
		w0, w1, w2, w3 := a.words(i, rsie.StreamSample)
		sum += w0 + w1 + w2 + w3
	}
	keep = float64(sum)
	b.ReportMetric(4*float64(b.N)/b.Elapsed().Seconds(), "elements/s")
}

func BenchmarkGauss(b *testing.B) {
	sum := 0.
	for i := range b.N {
		z, _, y, _ := gauss(uint32(i)*0x9e3779b9, uint32(i)<<9, uint32(i)*0x85ebca6b, uint32(i)<<13)
		sum += z + y
	}
	keep = sum
	b.ReportMetric(4*float64(b.N)/b.Elapsed().Seconds(), "elements/s")
}

// keep stops the compiler from dropping what a benchmark computes.
var keep float64
