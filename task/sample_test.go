package task

import (
	"errors"
	"math"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// follower returns outputs that favour the symbol after the newest one, a after the blank.
func follower(strength float64) func([]float64) ([]float64, error) {
	return func(inputs []float64) ([]float64, error) {
		out := make([]float64, 27)
		newest := inputs[len(inputs)-27:]
		for k, v := range newest {
			out[(k+1)%27] += strength * v
		}
		return out, nil
	}
}

func TestSampleText(t *testing.T) {
	m := &SavedModel{coding: &Coding{Text: &TextCoding{Symbols: foldedSymbols(), Fold: true, Context: 3}}}
	got, err := m.SampleText(follower(1), "The W", 5, 0, rsie.NewKey(1))
	if want := "the wxyz a"; got != want || err != nil {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	// A prompt shorter than the context stands behind blanks, so an empty one continues them.
	if got, err = m.SampleText(follower(1), "", 2, 0, rsie.NewKey(1)); got != "ab" || err != nil {
		t.Errorf("%q, %v after no prompt, want ab", got, err)
	}
	// softmax(ln 26 · 1, 0, ..): the favourite has probability 26/52; with temperature 1/2 it has
	// 26²/(26²+26). 4000 draws: five standard deviations are 0.04 and 0.016.
	for temperature, want := range map[float64]float64{1: 0.5, 0.5: 26.0 / 27} {
		text, err := m.SampleText(follower(math.Log(26)), "a", 4000, temperature, rsie.NewKey(3))
		if err != nil || len(text) != 4001 {
			t.Fatalf("%d characters, %v", len(text), err)
		}
		hits := 0
		for i := 1; i < len(text); i++ {
			before := strings.IndexByte("abcdefghijklmnopqrstuvwxyz ", text[i-1])
			after := strings.IndexByte("abcdefghijklmnopqrstuvwxyz ", text[i])
			if after == (before+1)%27 {
				hits++
			}
		}
		if share := float64(hits) / 4000; math.Abs(share-want) > 0.04*math.Sqrt(4*want*(1-want)) {
			t.Errorf("temperature %g: the favourite in %g of draws, want %g", temperature, share, want)
		}
		again, _ := m.SampleText(follower(math.Log(26)), "a", 4000, temperature, rsie.NewKey(3))
		other, _ := m.SampleText(follower(math.Log(26)), "a", 4000, temperature, rsie.NewKey(4))
		if again != text || other == text {
			t.Error("the text does not depend on the key alone")
		}
	}
}

func TestSampleTextOfCharacters(t *testing.T) {
	coding := &TextCoding{Symbols: []string{"x", "y", unseenSymbol}, Context: 2}
	m := &SavedModel{coding: &Coding{Text: coding}}
	var first []float64
	next := func(inputs []float64) ([]float64, error) {
		if first == nil {
			first = append(first, inputs...)
		}
		return []float64{0, 1, 5}, nil // would write the unseen symbol
	}
	got, err := m.SampleText(next, "é", 3, 0, rsie.NewKey(1))
	if want := unseenSymbol + "yyy"; got != want || err != nil {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for i, want := range []float64{0, 0, 0, 0, 0, 1} {
		if first[i] != want {
			t.Fatalf("first inputs %v, want nothing and then the unseen symbol", first)
		}
	}
}

func TestSampleTextRefuses(t *testing.T) {
	table := &SavedModel{coding: &Coding{Table: &TableCoding{}}, task: taskJSON{Name: "iris"}}
	for _, m := range []*SavedModel{table, {}} {
		if _, err := m.SampleText(nil, "", 1, 1, rsie.Key{}); !errors.Is(err, rsie.ErrInvalid) ||
			!strings.Contains(err.Error(), "was not trained on text") {
			t.Errorf("error %v, want bad input about the kind of model", err)
		}
	}
	m := &SavedModel{coding: &Coding{Text: &TextCoding{Symbols: foldedSymbols(), Fold: true, Context: 3}}}
	broken := errors.New("broken")
	if _, err := m.SampleText(func([]float64) ([]float64, error) { return nil, broken }, "", 1, 1, rsie.Key{}); err != broken {
		t.Errorf("error %v, want that of next", err)
	}
	if _, err := m.SampleText(func([]float64) ([]float64, error) {
		return append(make([]float64, 26), math.NaN()), nil
	}, "", 1, 1, rsie.Key{}); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("error %v for NaN, want ErrShape", err)
	}
}
