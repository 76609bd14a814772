package stats

import (
	"errors"
	"math"
	"math/bits"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"pgregory.net/rapid"
)

// coarse draws samples that tie often.
func coarse(low, high int) *rapid.Generator[[]float64] {
	return rapid.SliceOfN(rapid.Map(rapid.IntRange(-4, 4), func(i int) float64 {
		return float64(i) / 2
	}), low, high)
}

func draw(key uint64) func(int) int {
	k, i := rsie.NewKey(key), uint32(0)
	return func(n int) int {
		i++
		return int(rsie.Below(k.Words(i, 0, 0, 0, rsie.StreamResample)[0], uint32(n)))
	}
}

// All 2^n sign patterns of the ranks are written out.
func TestWilcoxonEqualsAllSignPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := coarse(1, 9).Draw(t, "a")
		b := coarse(len(a), len(a)).Draw(t, "b")
		zeros := rapid.SampledFrom([]Zeros{ZerosDrop, ZerosPratt, ZerosSplit}).Draw(t, "zeros")
		var sizes, ranks []float64
		var positive []bool
		for i := range a {
			if a[i] != b[i] || zeros != ZerosDrop {
				sizes = append(sizes, math.Abs(a[i]-b[i]))
			}
		}
		all := Ranks(sizes)
		k := 0
		for i := range a {
			if a[i] != b[i] {
				ranks, positive = append(ranks, all[k]), append(positive, a[i] > b[i])
			}
			if a[i] != b[i] || zeros != ZerosDrop {
				k++
			}
		}
		observed := 0.0
		for i, r := range ranks {
			if positive[i] {
				observed += r
			}
		}
		var less, greater float64
		for pattern := range 1 << len(ranks) {
			w := 0.0
			for i, r := range ranks {
				if pattern>>i&1 == 1 {
					w += r
				}
			}
			if w <= observed {
				less++
			}
			if w >= observed {
				greater++
			}
		}
		patterns := float64(int(1) << len(ranks))
		want := min(1, 2*min(less, greater)/patterns)
		got, err := Wilcoxon(a, b, WilcoxonOptions{TwoSided, Exact, zeros, false})
		if err != nil || math.Abs(got.P-want) > 1e-12 {
			t.Fatalf("p %v, want %v (%v)", got.P, want, err)
		}
	})
}

// All assignments of the values to two groups are written out.
func TestMannWhitneyEqualsAllAssignments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := coarse(1, 5).Draw(t, "x")
		y := coarse(1, 5).Draw(t, "y")
		both := append(slices.Clone(x), y...)
		u := func(group uint) (u float64) {
			for i := range both {
				for j := range both {
					if group>>i&1 == 1 && group>>j&1 == 0 {
						u += 0.5 + sign(both[i], both[j])/2
					}
				}
			}
			return u
		}
		observed := u(1<<len(x) - 1)
		var less, greater, total float64
		for g := range uint(1) << len(both) {
			if bits.OnesCount(g) != len(x) {
				continue
			}
			total++
			if u(g) <= observed {
				less++
			}
			if u(g) >= observed {
				greater++
			}
		}
		got, err := MannWhitney(x, y, MannWhitneyOptions{TwoSided, Exact, false})
		want := min(1, 2*min(less, greater)/total)
		if err != nil || got.Statistic != observed || math.Abs(got.P-want) > 1e-12 {
			t.Fatalf("U %v p %v, want %v %v (%v)", got.Statistic, got.P, observed, want, err)
		}
	})
}

func TestSwappingSamplesMirrorsTests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]Method{Auto, Exact, Asymptotic}).Draw(t, "method")
		zeros := rapid.SampledFrom([]Zeros{ZerosDrop, ZerosPratt, ZerosSplit}).Draw(t, "zeros")
		continuity := rapid.Bool().Draw(t, "continuity")
		a := coarse(1, 30).Draw(t, "a")
		b := coarse(len(a), len(a)).Draw(t, "b")
		scale := math.Ldexp(1, rapid.IntRange(-20, 20).Draw(t, "scale"))
		scaled := func(x []float64) (out []float64) {
			for _, v := range x {
				out = append(out, v*scale)
			}
			return out
		}
		mirror := map[Alternative]Alternative{TwoSided: TwoSided, Less: Greater, Greater: Less}
		for alternative, other := range mirror {
			o := WilcoxonOptions{alternative, method, zeros, continuity}
			p := WilcoxonOptions{other, method, zeros, continuity}
			one, err1 := Wilcoxon(a, b, o)
			two, err2 := Wilcoxon(b, a, p)
			big, err3 := Wilcoxon(scaled(a), scaled(b), o)
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Fatal(err)
			}
			if !(one.P >= 0 && one.P <= 1) || math.Abs(one.P-two.P) > 1e-12 || big != one {
				t.Fatalf("Wilcoxon %v, mirrored %v, scaled %v", one, two, big)
			}
			m, err1 := MannWhitney(a, b, MannWhitneyOptions{alternative, method, continuity})
			w, err2 := MannWhitney(b, a, MannWhitneyOptions{other, method, continuity})
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if !(m.P >= 0 && m.P <= 1) || math.Abs(m.P-w.P) > 1e-12 {
				t.Fatalf("Mann-Whitney %v, mirrored %v", m, w)
			}
		}
	})
}

func TestDecimalDifferencesTie(t *testing.T) {
	// In binary 0.3-0.2 < 0.2-0.1 < 0.9-0.8+ulps; as decimals the three are one group of ties.
	a, b := []float64{0.3, 0.1, 0.9}, []float64{0.2, 0.2, 0.8}
	got, err := Wilcoxon(a, b, WilcoxonOptions{Greater, Exact, ZerosDrop, false})
	if err != nil || got.Statistic != 4 || got.P != 0.5 {
		t.Errorf("got %+v %v, want W+ 4, p 1/2 of three tied differences", got, err)
	}
	// Ten roundings apart is a difference.
	a, b = []float64{1 + 0x1p-47, 1}, []float64{0, 2}
	got, err = Wilcoxon(a, b, WilcoxonOptions{Greater, Exact, ZerosDrop, false})
	if err != nil || got.Statistic != 2 {
		t.Errorf("got %+v %v, want W+ 2", got, err)
	}
	// Differences far below the largest value still have their own ranks.
	a, b = []float64{1e6, 3e-9, 1e-9}, []float64{0, 0, 2e-9}
	got, err = Wilcoxon(a, b, WilcoxonOptions{Greater, Exact, ZerosDrop, false})
	if err != nil || got.Statistic != 5 {
		t.Errorf("got %+v %v, want W+ 5", got, err)
	}
}

func TestAutoIsExactUpToItsLimit(t *testing.T) {
	for n, want := range map[int]bool{WilcoxonExact: true, WilcoxonExact + 1: false} {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i + 1)
		}
		got, err := Wilcoxon(x, make([]float64, n), WilcoxonOptions{TwoSided, Auto, ZerosDrop, true})
		if err != nil || got.Exact != want {
			t.Errorf("%d pairs: %+v %v, want exact %v", n, got, err, want)
		}
	}
	for n, want := range map[int]bool{MannWhitneyExact: true, MannWhitneyExact + 1: false} {
		got, err := MannWhitney(make([]float64, n-1), []float64{1},
			MannWhitneyOptions{TwoSided, Auto, true})
		if err != nil || got.Exact != want {
			t.Errorf("%d values: %+v %v, want exact %v", n, got, err, want)
		}
	}
}

// Near the limit the two distributions agree to a few parts in a thousand; a slip in either
// variance would show.
func TestExactMeetsAsymptotic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := coarse(80, 100).Draw(t, "a")
		b := coarse(len(a), len(a)).Draw(t, "b")
		e, err1 := Wilcoxon(a, b, WilcoxonOptions{Greater, Exact, ZerosDrop, true})
		n, err2 := Wilcoxon(a, b, WilcoxonOptions{Greater, Asymptotic, ZerosDrop, true})
		f, err3 := MannWhitney(a[:40], b[:40], MannWhitneyOptions{Greater, Exact, true})
		m, err4 := MannWhitney(a[:40], b[:40], MannWhitneyOptions{Greater, Asymptotic, true})
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		distinct := func(x []float64) int {
			s := slices.Clone(x)
			slices.Sort(s)
			return len(slices.Compact(s))
		}
		if distinct(a) < 5 || distinct(b) < 5 || distinct(a[:40]) < 5 {
			return
		}
		if math.Abs(e.P-n.P) > 0.02 || math.Abs(f.P-m.P) > 0.03 {
			t.Fatalf("exact %v %v, asymptotic %v %v", e.P, f.P, n.P, m.P)
		}
	})
}

func TestAdjustmentsBracketThePValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 20).Draw(t, "p")
		holm, err1 := Holm(p)
		bh, err2 := BenjaminiHochberg(p)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		for i := range p {
			// m·p/j with j = m is p up to a rounding.
			if !(p[i]*(1-1e-15) <= bh[i] && bh[i] <= holm[i]*(1+1e-15) && holm[i] <= 1) {
				t.Fatalf("p %v: BH %v, Holm %v", p[i], bh[i], holm[i])
			}
			for j := range p {
				if p[i] < p[j] && (holm[i] > holm[j] || bh[i] > bh[j]) {
					t.Fatalf("order of %v and %v is lost", p[i], p[j])
				}
			}
		}
	})
}

func TestCorrelationProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := coarse(3, 12).Draw(t, "x")
		y := coarse(len(x), len(x)).Draw(t, "y")
		rho, p, err := Spearman(x, y)
		tau, q, err2 := Kendall(x, y, Auto)
		if constant(x) || constant(y) {
			if !errors.Is(err, rsie.ErrInvalid) || !errors.Is(err2, rsie.ErrInvalid) {
				t.Fatalf("constant sample: %v %v", err, err2)
			}
			return
		}
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		for _, v := range []float64{p, q, (rho + 1) / 2, (tau + 1) / 2} {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("rho %v p %v tau %v p %v", rho, p, tau, q)
			}
		}
		cubed := make([]float64, len(x))
		for i, v := range x {
			cubed[i] = -v * v * v
		}
		rho2, _, _ := Spearman(y, cubed)
		tau2, _, _ := Kendall(y, cubed, Auto)
		if math.Abs(rho+rho2) > 1e-12 || math.Abs(tau+tau2) > 1e-12 {
			t.Fatalf("a falling map does not turn the sign: %v %v, %v %v", rho, rho2, tau, tau2)
		}
	})
}

func TestBootstrapRepeatsAndBrackets(t *testing.T) {
	x := []float64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}
	before := slices.Clone(x)
	sorting := func(s []float64) float64 { slices.Sort(s); return Mean(s) }
	for name, interval := range map[string]func([]float64, func([]float64) float64, int, float64,
		func(int) int) (float64, float64, error){"percentile": BootstrapInterval, "BCa": BootstrapBCa} {
		low, high, err := interval(x, sorting, 2000, 0.95, draw(1))
		if err != nil || !(low < Mean(x) && Mean(x) < high) {
			t.Errorf("%s: [%v, %v] %v does not hold the mean", name, low, high, err)
		}
		low2, high2, _ := interval(x, sorting, 2000, 0.95, draw(1))
		other, _, _ := interval(x, sorting, 2000, 0.9, draw(1))
		if low != low2 || high != high2 || !(other > low) {
			t.Errorf("%s: [%v, %v] then [%v, %v]; 90 %% from %v", name, low, high, low2, high2, other)
		}
	}
	if !slices.Equal(x, before) {
		t.Error("the sample was changed")
	}
	low, high, err := BootstrapInterval([]float64{7}, Mean, 10, 0.95, draw(1))
	if low != 7 || high != 7 || err != nil {
		t.Errorf("one value: [%v, %v] %v", low, high, err)
	}
}

func TestNoSuccessIsInfinite(t *testing.T) {
	got, err := ExpectedRunningTime([]int64{0, 0}, []bool{false, false})
	if !math.IsInf(got, 1) || err != nil {
		t.Errorf("got %v %v, want +Inf", got, err)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	nan, two := []float64{1, math.NaN()}, []float64{1, 2}
	boot := func(x []float64, b int, level float64, source func(int) int) error {
		_, _, err := BootstrapInterval(x, Mean, b, level, source)
		return err
	}
	wilcoxon := func(a, b []float64) error { _, err := WilcoxonPaired(a, b); return err }
	rank := func(a, b []float64) error { _, err := A12(a, b); return err }
	friedman := func(b ...[]float64) error { _, err := Friedman(b); return err }
	options := WilcoxonOptions{TwoSided, Auto, ZerosDrop, true}
	variant := func(change func(*WilcoxonOptions)) error {
		o := options
		change(&o)
		_, err := Wilcoxon(two, two, o)
		return err
	}
	long := make([]float64, 1001)
	for i := range long {
		long[i] = float64(i + 1)
	}
	_, tooLong := Wilcoxon(long, make([]float64, 1001), WilcoxonOptions{TwoSided, Exact, ZerosDrop, true})
	_, huge := WilcoxonPaired([]float64{math.MaxFloat64}, []float64{-math.MaxFloat64})
	_, wide := MannWhitney(long, two, MannWhitneyOptions{TwoSided, Exact, true})
	_, p := Holm([]float64{1.5})
	_, _, rho := Spearman(two, two)
	_, _, tau := Kendall([]float64{1, 1, 2}, []float64{1, 2, 3}, Exact)
	_, ert := ExpectedRunningTime([]int64{1}, nil)
	_, none := ExpectedRunningTime(nil, nil)
	_, negative := ExpectedRunningTime([]int64{-1}, []bool{true})
	_, nemenyi := NemenyiDifference(1, 10, 0.05)
	_, _, bca := BootstrapBCa(two, func([]float64) float64 { return math.Inf(1) }, 10, 0.95, draw(1))
	_, _, far := BootstrapBCa([]float64{1, 2}, func(x []float64) float64 { return x[0] }, 10, 0.95,
		func(int) int { return 1 })
	for name, c := range map[string]struct{ err, want error }{
		"empty pairs":             {wilcoxon(nil, nil), rsie.ErrInvalid},
		"unequal pairs":           {wilcoxon(two, two[:1]), rsie.ErrShape},
		"NaN first":               {wilcoxon(nan, two), rsie.ErrInvalid},
		"NaN second":              {wilcoxon(two, nan), rsie.ErrInvalid},
		"overflow":                {huge, rsie.ErrInvalid},
		"too long for exact":      {tooLong, rsie.ErrInvalid},
		"no alternative":          {variant(func(o *WilcoxonOptions) { o.Alternative = 0 }), rsie.ErrInvalid},
		"no method":               {variant(func(o *WilcoxonOptions) { o.Method = 0 }), rsie.ErrInvalid},
		"no zeros rule":           {variant(func(o *WilcoxonOptions) { o.Zeros = 0 }), rsie.ErrInvalid},
		"empty sample":            {rank(nil, two), rsie.ErrInvalid},
		"NaN sample":              {rank(two, nan), rsie.ErrInvalid},
		"too wide for exact":      {wide, rsie.ErrInvalid},
		"one block":               {friedman(two), rsie.ErrInvalid},
		"ragged blocks":           {friedman(two, two[:1]), rsie.ErrShape},
		"NaN block":               {friedman(two, nan), rsie.ErrInvalid},
		"p above one":             {p, rsie.ErrInvalid},
		"two pairs":               {rho, rsie.ErrInvalid},
		"exact with ties":         {tau, rsie.ErrInvalid},
		"outcomes missing":        {ert, rsie.ErrShape},
		"no runs":                 {none, rsie.ErrInvalid},
		"negative evaluations":    {negative, rsie.ErrInvalid},
		"one treatment":           {nemenyi, rsie.ErrInvalid},
		"bootstrap of nothing":    {boot(nil, 10, 0.95, draw(1)), rsie.ErrInvalid},
		"one resample":            {boot(two, 1, 0.95, draw(1)), rsie.ErrInvalid},
		"level in percent":        {boot(two, 10, 95, draw(1)), rsie.ErrInvalid},
		"no source":               {boot(two, 10, 0.95, nil), rsie.ErrInvalid},
		"index out of range":      {boot(two, 10, 0.95, func(n int) int { return n }), rsie.ErrInvalid},
		"infinite statistic":      {bca, rsie.ErrInvalid},
		"estimate outside sample": {far, rsie.ErrInvalid},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	for i, v := range []float64{Mean(nil), Median(nil), InterquartileMean(nil),
		InterquartileMean(nan), Quantile(nan, 0.5), Quantile(two, 2)} {
		if !math.IsNaN(v) {
			t.Errorf("summary %d of nothing: %v, want NaN", i, v)
		}
	}
}

// Any float64 may be in the data; nothing panics and a p-value is in [0,1] or there is an error.
func TestNothingPanics(t *testing.T) {
	wild := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1),
		math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, 5e-324}))
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(wild, 0, 8).Draw(t, "x")
		y := rapid.SliceOfN(wild, 0, 8).Draw(t, "y")
		method := Method(rapid.IntRange(-1, 4).Draw(t, "method"))
		alternative := Alternative(rapid.IntRange(-1, 4).Draw(t, "alternative"))
		zeros := Zeros(rapid.IntRange(-1, 4).Draw(t, "zeros"))
		check := func(what string, p float64, err error) {
			if err == nil && !(p >= 0 && p <= 1) {
				t.Fatalf("%s: p %v", what, p)
			}
			if err != nil && !errors.Is(err, rsie.ErrInvalid) && !errors.Is(err, rsie.ErrShape) {
				t.Fatalf("%s: %v", what, err)
			}
		}
		w, err := Wilcoxon(x, y, WilcoxonOptions{alternative, method, zeros, true})
		check("Wilcoxon", w.P, err)
		m, err := MannWhitney(x, y, MannWhitneyOptions{alternative, method, false})
		check("Mann-Whitney", m.P, err)
		f, err := Friedman([][]float64{x, y, x})
		check("Friedman", f.P, err)
		_, p, err := f.ImanDavenport()
		check("Iman-Davenport", p, err)
		_, p, err = Spearman(x, y)
		check("Spearman", p, err)
		_, p, err = Kendall(x, y, method)
		check("Kendall", p, err)
		for _, adjust := range []func([]float64) ([]float64, error){Holm, BenjaminiHochberg} {
			ps, err := adjust(x)
			for _, p := range ps {
				check("adjusted", p, err)
			}
		}
		_, _, _ = BootstrapInterval(x, Mean, 20, 0.9, draw(1))
		_, _, _ = BootstrapBCa(x, Median, 20, 0.9, draw(2))
		_, _ = NemenyiDifference(len(x), len(y), 0.05)
		Ranks(x)
		InterquartileMean(x)
	})
}

func BenchmarkWilcoxonExact(b *testing.B) {
	x, y := make([]float64, WilcoxonExact), make([]float64, WilcoxonExact)
	for i := range x {
		x[i] = float64(i*37%101) - 40
	}
	for b.Loop() {
		if _, err := WilcoxonPaired(x, y); err != nil {
			b.Fatal(err)
		}
	}
}
