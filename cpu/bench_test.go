package cpu

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// engine is a backend that benchmarks time.
type engine struct {
	rsie.Backend
	name  string // gonum, or native with its variant, which RSIE_CPU chooses
	level kernels.Level
	bytes int // of a number
}

// onEngines runs f as the benchmark backend=NAME/rest of each backend of this program.
func onEngines(b *testing.B, workers int, rest string, f func(b *testing.B, g engine)) {
	native, err := NewNative(workers)
	if err == nil {
		defer native.Close()
		g := engine{native, "native-", kernels.Scalar, 4}
		for l := kernels.Scalar; l <= kernels.AVX512; l++ {
			if strings.Contains(native.Info().Device, ", "+l.String()+",") {
				g.name, g.level = "native-"+l.String(), l
			}
		}
		b.Run("backend="+g.name+"/"+rest, func(b *testing.B) { f(b, g) })
	} else if HasNative {
		b.Fatal(err)
	}
	b.Run("backend=gonum/"+rest, func(b *testing.B) { f(b, engine{backend(b, workers), "gonum", kernels.Scalar, 8}) })
}

// size names the shape of a benchmark.
func size(runs, members int, net string, samples int) string {
	return fmt.Sprintf("R=%d/N=%d/net=%s/S=%d", runs, members, net, samples)
}

// cpuSeconds returns the time that the process has had a core, which other processes lengthen less
// than the time that passes.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// timed makes b's iterations and returns how many a core makes in a second. The first call of f is
// not among them.
func timed(b *testing.B, f func()) float64 {
	f()
	b.ReportAllocs()
	start := cpuSeconds()
	for b.Loop() {
		f()
	}
	return float64(b.N) / (cpuSeconds() - start)
}

// must ends b on an error.
func must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// reportFlops reports operations a second, and their share of the multiplications and additions
// that a core does at most, which it measures.
func reportFlops(b *testing.B, g engine, perSecond float64) {
	b.ReportMetric(perSecond/1e9, "GFLOP/s")
	peak := 0.0
	for range 5 {
		start := cpuSeconds()
		n := g.level.Peak(1 << 22)
		peak = max(peak, n/(cpuSeconds()-start))
	}
	if g.name != "gonum" && peak > 0 {
		b.ReportMetric(100*perSecond/peak, "%peak")
	}
}

// reportBytes reports the numbers that an operation reads and writes a second, and their share of
// what a copy moves that reads and writes as many: 8 values of 4 bytes are 32 bytes.
func reportBytes(b *testing.B, g engine, values, perSecond float64) {
	bytes := values * float64(g.bytes)
	b.ReportMetric(bytes*perSecond/1e9, "GB/s")
	from, to := make([]byte, int(bytes)/2+1), make([]byte, int(bytes)/2+1)
	copy(from, to)
	peak := 0.0
	for range 5 {
		n, start, began := 0, cpuSeconds(), time.Now()
		for ; n < 3 || time.Since(began) < 5*time.Millisecond; n++ {
			copy(to, from)
		}
		peak = max(peak, float64(n)*bytes/(cpuSeconds()-start))
	}
	b.ReportMetric(100*bytes*perSecond/peak, "%copy")
}
