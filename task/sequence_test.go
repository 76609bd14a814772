package task

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// elman returns the output after the last step of a recurrent network with tanh; x is
// [steps][in].
func elman(layers []int, theta, x []float64) []float64 {
	in, h, out := layers[0], layers[1], layers[2]
	wh := theta[in*h:]
	bh := wh[h*h:]
	wo := bh[h:]
	state := make([]float64, h)
	for ; len(x) > 0; x = x[in:] {
		next := make([]float64, h)
		for j := range next {
			next[j] = bh[j]
			for i := range in {
				next[j] += x[i] * theta[i*h+j]
			}
			for i := range h {
				next[j] += state[i] * wh[i*h+j]
			}
			next[j] = math.Tanh(next[j])
		}
		state = next
	}
	return dense([]int{h, out}, wo, state)
}

// forward returns the outputs of m with theta on all rows.
func forward(m *rsie.Model, theta []float64, rows *rsie.Rows) []float64 {
	var out []float64
	width := len(rows.Inputs) / rows.S
	for s := range rows.S {
		x := rows.Inputs[s*width:][:width]
		if m.Network == rsie.Elman {
			out = append(out, elman(m.Layers, theta, x)...)
		} else {
			out = append(out, dense(m.Layers, theta, x)...)
		}
	}
	return out
}

// TestSequenceGivesTheSuitesCheckValues checks rows, widths and training fitness of the suite's
// sequence tasks. Inputs are rounded to float32 once, hence 1e-6.
func TestSequenceGivesTheSuitesCheckValues(t *testing.T) {
	for _, c := range []struct {
		name, text string
		network    NetworkSpec
		layers     []int
		steps, dim int
		rows       [3]int
		check      float64
		metric     string
	}{
		{"sunspots", "{form: series, data: sunspots_yearly.csv, column: sunspots, window: 10}",
			NetworkSpec{Kind: "elman", Hidden: []int{12}}, []int{1, 12, 1}, 10, 181, [3]int{175, 62, 62},
			2.2862653107164, "mse"},
		{"opticks", "{form: text, data: opticks.txt, context: 4, stride: 29}",
			NetworkSpec{Hidden: []int{16}}, []int{108, 16, 27}, 0, 2203, [3]int{2047, 683, 683},
			3.31810996977992, "cross_entropy"},
		{"wine_autoencoder", "{form: autoencoder, data: wine.csv, ignore: [cultivar]}",
			NetworkSpec{Hidden: []int{6}}, []int{13, 6, 13}, 0, 175, [3]int{108, 35, 35},
			2.16197893296135, "mse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := built(t, new(sequenceSpec), c.text, "embedded/data", &c.network)
			if err != nil {
				t.Fatal(err)
			}
			p := got.Problem.(rsie.Modelled)
			m := p.Model()
			if !slices.Equal(m.Layers, c.layers) || m.Steps != c.steps || m.Dim() != c.dim {
				t.Fatalf("layers %v, steps %d, dim %d; want %v, %d, %d", m.Layers, m.Steps, m.Dim(),
					c.layers, c.steps, c.dim)
			}
			for part := rsie.Training; part <= rsie.Test; part++ {
				if n := p.Rows(part).S; n != c.rows[part-1] {
					t.Errorf("%d %s rows, want %d", n, part, c.rows[part-1])
				}
			}
			outputs := forward(m, conformance(m), p.Rows(rsie.Training))
			metrics := got.Metrics(outputs, rsie.Training)
			if metrics[0].Name != c.metric || metrics[0].Maximise {
				t.Errorf("first metric %+v, want %s, minimised", metrics[0], c.metric)
			}
			wantClose(t, "training fitness", []float64{metrics[0].Value}, []float64{c.check}, 1e-6)
		})
	}
}

func TestFoldText(t *testing.T) {
	for in, want := range map[string]string{
		"Light, is\nnot 3 Rays!": "light is not rays ",
		"":                       "",
		" -a--B ":                " a b ",
		"Été":                    " t ",
	} {
		if got := foldText(in); got != want {
			t.Errorf("foldText(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTextRows checks one-hot order, targets, borders and the symbol for unseen characters on a
// text of 20 characters whose training part is the first 12.
func TestTextRows(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.txt", "abcabcabcabcabcazcab", 0o644)
	got, err := built(t, new(sequenceSpec),
		"{form: text, data: a.txt, alphabet: characters, context: 2, stride: 3}", dir,
		&NetworkSpec{Kind: "gru", Hidden: []int{5}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "c", unseenSymbol}; !slices.Equal(got.coding.Text.Symbols, want) {
		t.Fatalf("symbols %q, want %q", got.coding.Text.Symbols, want)
	}
	p := got.Problem.(rsie.Modelled)
	if m := p.Model(); !slices.Equal(m.Layers, []int{4, 5, 4}) || m.Steps != 2 {
		t.Errorf("layers %v with %d steps, want 4, 5, 4 with 2", m.Layers, m.Steps)
	}
	for part, want := range map[rsie.Part]rsie.Rows{
		rsie.Training:   {S: 4, Classes: []int32{2, 2, 2, 2}},
		rsie.Validation: {S: 1, Classes: []int32{2}}, // position 14; 17 is beyond 16
		rsie.Test:       {S: 1, Classes: []int32{0}}, // position 18 of "zcab": a
	} {
		rows := p.Rows(part)
		if rows.S != want.S || !slices.Equal(rows.Classes, want.Classes) {
			t.Errorf("%s: %d rows of classes %v, want %v", part, rows.S, rows.Classes, want.Classes)
		}
	}
	// The symbols before position 18 are z, unseen, and c.
	if x := p.Rows(rsie.Test).Inputs; !slices.Equal(x, []float64{0, 0, 0, 1, 0, 0, 1, 0}) {
		t.Errorf("inputs of the test row %v, want unseen and c, oldest first", x)
	}
}

// TestSeriesRows checks windows, standardisation by training positions and reach over borders.
func TestSeriesRows(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "s.csv", "u,v,w\n1,10,9\n3,20,9\n1,30,9\n3,40,9\n1,50,9\n3,60,9\n7,70,9\n8,80,9\n9,90,9\n5,99,9\n", 0o644)
	got, err := built(t, new(sequenceSpec), "{form: series, data: s.csv, columns: [w, u], target: u, window: 2}",
		dir, &NetworkSpec{Hidden: []int{3}})
	if err != nil {
		t.Fatal(err)
	}
	p := got.Problem.(rsie.Modelled)
	if !slices.Equal(p.Model().Layers, []int{4, 3, 1}) {
		t.Errorf("layers %v, want 4, 3, 1", p.Model().Layers)
	}
	// Training positions 0..5 of u have mean 2 and deviation 1; w is constant: deviation 1.
	training, validation := p.Rows(rsie.Training), p.Rows(rsie.Validation)
	if !slices.Equal(training.Targets, []float64{-1, 1, -1, 1}) ||
		!slices.Equal(training.Inputs[:4], []float64{0, -1, 0, 1}) {
		t.Errorf("training rows %+v", training)
	}
	if !slices.Equal(validation.Targets, []float64{5, 6}) ||
		!slices.Equal(validation.Inputs, []float64{0, -1, 0, 1, 0, 1, 0, 5}) {
		t.Errorf("validation rows %+v", validation)
	}
	if test := p.Rows(rsie.Test); !slices.Equal(test.Targets, []float64{7, 3}) {
		t.Errorf("test rows %+v", test)
	}
	// rmse is in original units: the deviation of v's training positions, not 1.
	got, err = built(t, new(sequenceSpec), "{form: series, data: s.csv, column: v, window: 2}", dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := got.Problem.(rsie.Modelled).Rows(rsie.Test)
	off := []float64{rows.Targets[0] + 1, rows.Targets[1] + 1}
	for _, m := range got.Metrics(off, rsie.Test) {
		if want := math.Sqrt(1750.0 / 6); m.Name == "rmse" && math.Abs(m.Value-want) > 1e-4 {
			t.Errorf("rmse %g, want one deviation of v's training values, %g", m.Value, want)
		}
	}
}

func TestClassesOfSeries(t *testing.T) {
	dir := t.TempDir()
	text := "a1,b1,a2,b2,a3,b3,y\n"
	for i := range 10 {
		text += strings.Repeat("1,2,", 2) + "3,4," + string(rune('p'+i%2)) + "\n"
	}
	write(t, dir, "c.csv", text, 0o644)
	got, err := built(t, new(sequenceSpec), "{form: classes, data: c.csv, target: y, steps: 3}", dir,
		&NetworkSpec{Kind: "gru", Hidden: []int{4}})
	if err != nil {
		t.Fatal(err)
	}
	m := got.Problem.(rsie.Modelled).Model()
	if !slices.Equal(m.Layers, []int{2, 4, 2}) || m.Steps != 3 || m.Loss != rsie.CrossEntropy {
		t.Errorf("model %+v, want 2, 4, 2 over 3 steps with cross-entropy", m)
	}
	_, err = built(t, new(sequenceSpec), "{form: classes, data: c.csv, target: y, steps: 4}", dir, nil)
	wantInvalid(t, err, "6 input columns are not a whole number of columns for each of 4 steps")
	_, err = built(t, new(sequenceSpec), "{form: classes, data: c.csv, target: b3, ignore: [b2], steps: 3}", dir, nil)
	wantInvalid(t, err, "one class only")
	_, err = built(t, new(sequenceSpec), "{form: autoencoder, data: c.csv}", dir, nil)
	wantInvalid(t, err, "column y holds text")
}

func TestSequenceRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "t.txt", "some words of text that are not long", 0o644)
	write(t, dir, "s.csv", "v,w\n1,2\n2,\n3,4\n4,5\n5,6\n6,7\n", 0o644)
	write(t, dir, "x.csv", "v\n1\nabc\n", 0o644)
	for text, want := range map[string]string{
		"form: words":               `form "words"; allowed are text, series, classes, autoencoder`,
		"form: text":                "data is needed",
		"{form: text, data: t.txt}": "context 0; allowed are 1 to 4096",
		"{form: text, data: t.txt, context: 4097}":                           "context 4097",
		"{form: text, data: t.txt, context: 3, window: 3}":                   "window does not belong to form text",
		"{form: text, data: t.txt, context: 3, stride: -1}":                  "stride -1; allowed are 1 to 1000000",
		"{form: text, data: t.txt, context: 3, alphabet: greek}":             `alphabet "greek"; allowed are letters, characters`,
		"{form: text, data: t.txt, context: 9}":                              "leave no target for the validation part with context 9",
		"{form: text, data: none.txt, context: 3}":                           "no such file",
		"{form: series, data: s.csv, column: v}":                             "window 0; allowed are 1 to 4096",
		"{form: series, data: s.csv, window: 2}":                             "give column, or columns with target",
		"{form: series, data: s.csv, window: 2, column: z}":                  `there is no column "z"; the columns are v, w`,
		"{form: series, data: s.csv, window: 2, column: v, columns: [w]}":    "column stands alone",
		"{form: series, data: s.csv, window: 2, columns: [v, v], target: v}": "column v stands twice",
		"{form: series, data: s.csv, window: 2, column: w}":                  "s.csv:3: column w: a value is missing",
		"{form: series, data: s.csv, window: 4, column: v}":                  "leave none for the training part",
		"{form: series, data: x.csv, window: 2, column: v}":                  `x.csv:3: column v: "abc" is not a number`,
		"{form: classes, data: s.csv, target: w}":                            "steps 0; allowed are 1 to 4096",
		"{form: classes, data: s.csv, steps: 1}":                             "target is needed",
		"{form: autoencoder, data: s.csv, target: w}":                        "target does not belong to form autoencoder",
	} {
		_, err := built(t, new(sequenceSpec), text, dir, nil)
		wantInvalid(t, err, want)
	}
	_, err := built(t, new(sequenceSpec), "{form: series, data: s.csv, window: 2, column: v}", dir,
		&NetworkSpec{Kind: "elman", Hidden: []int{2, 2}})
	wantInvalid(t, err, "network.hidden has 2 layers")
}

func TestSequenceDigest(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.txt", strings.Repeat("some words of text ", 20), 0o644)
	write(t, dir, "b.txt", strings.Repeat("some other of text ", 20), 0o644)
	digest := func(text string, n *NetworkSpec) string {
		got, err := built(t, new(sequenceSpec), text, dir, n)
		if err != nil {
			t.Fatal(err)
		}
		return got.Digest()
	}
	base := digest("{form: text, data: a.txt, context: 3}", nil)
	if digest("{form: text, data: a.txt, context: 3, stride: 1, alphabet: letters}", nil) != base {
		t.Error("writing the defaults out changes the digest")
	}
	seen := map[string]bool{base: true}
	for _, d := range []string{
		digest("{form: text, data: b.txt, context: 3}", nil),
		digest("{form: text, data: a.txt, context: 4}", nil),
		digest("{form: text, data: a.txt, context: 3, stride: 2}", nil),
		digest("{form: text, data: a.txt, context: 3, alphabet: characters}", nil),
		digest("{form: text, data: a.txt, context: 3}", &NetworkSpec{Hidden: []int{7}}),
		digest("{form: text, data: a.txt, context: 3}", &NetworkSpec{Kind: "gru"}),
		digest("{form: text, data: a.txt, context: 3}", &NetworkSpec{Activation: names{"relu"}}),
	} {
		if seen[d] {
			t.Errorf("digest %s stands for two tasks", d)
		}
		seen[d] = true
	}
}

// TestCodingReadsNewData checks that rows to predict are those a task would have had.
func TestCodingReadsNewData(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("embedded", "data", "sunspots_yearly.csv"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := built(t, new(sequenceSpec), "{form: series, data: sunspots_yearly.csv, column: sunspots, window: 10}",
		"embedded/data", &NetworkSpec{Kind: "elman"})
	if err != nil {
		t.Fatal(err)
	}
	series := got.coding.Series
	rows, err := series.rows(bytes.NewReader(data), "new.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	training := got.Problem.(rsie.Modelled).Rows(rsie.Training)
	if rows.S != 309-10+1 || !slices.Equal(rows.Inputs[:len(training.Inputs)], training.Inputs) ||
		slices.Max(rows.Targets) != 0 {
		t.Errorf("%d rows, want 300 that begin like the training rows, without targets", rows.S)
	}
	var out bytes.Buffer
	if err := series.write(&out, []float64{0, 1}); err != nil {
		t.Fatal(err)
	}
	want := "sunspots\n" + formatNumber(series.Mean) + "\n" + formatNumber(series.Std+series.Mean) + "\n"
	if out.String() != want {
		t.Errorf("predictions %q, want %q", out.String(), want)
	}
	text := &TextCoding{Symbols: foldedSymbols(), Fold: true, Context: 2}
	rows, err = text.rows(strings.NewReader("Ab c"), "new.txt", nil)
	if err != nil || rows.S != 3 || rows.Inputs[0] != 1 || rows.Inputs[27+1] != 1 ||
		rows.Inputs[2*54+26] != 1 || slices.Max(rows.Classes) != 0 {
		t.Errorf("rows %+v, %v; want three without classes, of a and b, .., of blank and c", rows, err)
	}
	if _, err := text.rows(strings.NewReader("a"), "new.txt", nil); err == nil ||
		!strings.Contains(err.Error(), "new.txt has 1 characters") {
		t.Errorf("error %v, want one about a short text", err)
	}
	if text.check(54, 27) != nil || text.check(53, 27) == nil || series.check(10, 1) != nil || series.check(9, 1) == nil {
		t.Error("check does not tell the network's widths from others")
	}
}
