//go:build cgo

package kernels

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// FullScanVariable makes the test of accuracy look at all 2^32 floats, which takes ten minutes.
const FullScanVariable = "RSIE_FULL_SCAN"

// mathFlags are the options of the variants of the kernels, by level.
var mathFlags = [][]string{{}, {"-mavx2", "-mfma"}, {"-march=x86-64-v4", "-mprefer-vector-width=512"}}

// buildMath compiles testdata/accuracy.c with the C compiler that cgo uses.
func buildMath(t *testing.T, name string, flags []string) string {
	t.Helper()
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	program := filepath.Join(t.TempDir(), name)
	args := append([]string{"-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"}, flags...)
	args = append(args, "testdata/accuracy.c", "-o", program, "-lm")
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", cc, args, err, out)
	}
	return program
}

// knownAnswers are the published words of Philox, counter, key and output, one a line.
func knownAnswers(t *testing.T) (string, int) {
	t.Helper()
	raw, err := os.ReadFile("../testdata/philox4x32_10.json")
	if err != nil {
		t.Fatal(err)
	}
	type answer struct{ Counter, Key, Output []string }
	var v struct{ Published, Cases []answer }
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	all := append(v.Published, v.Cases...)
	for _, a := range all {
		fmt.Fprintln(&out, strings.Join(a.Counter, " "), strings.Join(a.Key, " "), strings.Join(a.Output, " "))
	}
	return out.String(), len(all)
}

// TestMathAccuracy measures the functions of rsie_math.h against what their comments state, their
// values at the ends, Philox against its known answers, and that every variant has the same bits.
func TestMathAccuracy(t *testing.T) {
	stated := map[string]float64{"exp": 1, "log": 0.9, "tanh": 5, "sigmoid": 2.6, "sin": 1.6, "cos": 1.6,
		"turns_sin": 2, "turns_cos": 2, "exp64": 1.5, "log64": 1.5, "pow64": 11.5, "normals": 0}
	step := "20011"
	if os.Getenv(FullScanVariable) != "" {
		step = "1"
	}
	levels := mathFlags[:1]
	if runtime.GOARCH == "amd64" {
		levels = mathFlags[:CPULevel()+1]
	}
	words, count := knownAnswers(t)
	first := ""
	for level := len(levels) - 1; level >= 0; level-- {
		if step == "1" && level < len(levels)-1 {
			continue // the same bits are seen on the sample
		}
		run := exec.Command(buildMath(t, fmt.Sprint("level", level), levels[level]), step, "7")
		run.Stdin = strings.NewReader(words)
		out, err := run.CombinedOutput()
		if err != nil || strings.Contains(string(out), "WRONG") {
			t.Fatalf("%v: %v\n%s", Level(level), err, out)
		}
		if first == "" {
			first = string(out)
		} else if string(out) != first {
			t.Errorf("%v differs from the highest variant:\n%s\n%s", Level(level), out, first)
		}
	}
	t.Log("\n" + first)
	seen := 0
	for line := range strings.Lines(first) {
		var name, at, hash string
		var worst float64
		if n, _ := fmt.Sscan(line, &name, &worst, &at, &hash); n < 4 || name == "moments" {
			continue
		}
		bound, ok := stated[name]
		if seen++; !ok || worst > bound {
			t.Errorf("%s: %g ulp at %s, stated are %g", name, worst, at, bound)
		}
	}
	if want := fmt.Sprintf("philox %d\n", count); seen != len(stated) || !strings.Contains(first, want) {
		t.Errorf("%d of %d functions and %q are in\n%s", seen, len(stated), want, first)
	}
}
