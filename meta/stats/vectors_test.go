package stats

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

type testCase struct {
	ZeroMethod  string `json:"zero_method"`
	Alternative string
	Method      string
	Continuity  bool `json:"continuity_correction"`
	Statistic   *float64
	P           *float64
}

type enumeration struct {
	WPlus    float64 `json:"w_plus"`
	Greater  float64
	Less     float64
	TwoSided float64 `json:"two_sided"`
}

type vectors struct {
	Wilcoxon []struct {
		Name    string
		X, Y    []float64
		Results []testCase
		Exact   map[string]enumeration `json:"exact_by_enumeration"`
	} `json:"wilcoxon_signed_rank"`
	MannWhitney []struct {
		Name    string
		X, Y    []float64
		Results []testCase
		Exact   *enumeration `json:"exact_by_enumeration"`
		A12     float64
	} `json:"mann_whitney"`
	Friedman []struct {
		Name      string
		Blocks    [][]float64 `json:"blocks_by_treatments"`
		MeanRanks []float64   `json:"mean_ranks"`
		Chi2      float64
		DF        int
		P         float64
		F         *float64 `json:"iman_davenport_f"`
		FP        *float64 `json:"iman_davenport_p"`
	}
	Holm []struct {
		Name        string
		P, Adjusted []float64
	}
	Bootstrap []struct {
		Name       string
		Sample     []float64
		Statistic  string
		Confidence float64
		Resamples  int
		Indices    []string   `json:"resample_indices"`
		BCa        [2]float64 `json:"bca_interval"`
		Percentile [2]float64 `json:"percentile_interval"`
	} `json:"bootstrap_bca"`
	Correlation []struct {
		Name   string
		X, Y   []float64
		Rho    float64  `json:"spearman_rho"`
		RhoP   float64  `json:"spearman_p_t_distribution"`
		Tau    float64  `json:"kendall_tau_b"`
		TauP   float64  `json:"kendall_p_asymptotic"`
		TauPEx *float64 `json:"kendall_p_exact"`
	}
	IQM []struct {
		X         []float64
		IQM       float64
		Quartiles [3]float64 `json:"quartiles_linear"`
	} `json:"interquartile_mean"`
	ERT []struct {
		Name string
		Runs [][2]int64 `json:"runs_evaluations_success"`
		ERT  *float64
	} `json:"expected_running_time"`
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/stats.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// near allows for another order of sums and another normal tail: 1e-11 relative.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-11*math.Max(math.Abs(want), 1e-3)) {
		t.Errorf("%s: got %.17g, want %.17g", what, got, want)
	}
}

var (
	alternatives = map[string]Alternative{"two-sided": TwoSided, "less": Less, "greater": Greater}
	methods      = map[string]Method{"asymptotic": Asymptotic, "exact": Exact}
	zeroRules    = map[string]Zeros{"wilcox": ZerosDrop, "pratt": ZerosPratt, "zsplit": ZerosSplit}
)

func TestWilcoxonEqualsScipy(t *testing.T) {
	checked := 0
	for _, v := range readVectors(t).Wilcoxon {
		for _, r := range v.Results {
			o := WilcoxonOptions{alternatives[r.Alternative], methods[r.Method],
				zeroRules[r.ZeroMethod], r.Continuity}
			got, err := Wilcoxon(v.X, v.Y, o)
			if err != nil {
				t.Fatal(err)
			}
			if r.P == nil {
				near(t, v.Name, got.P, 1)
				continue
			}
			near(t, v.Name+" statistic", got.Statistic, *r.Statistic)
			near(t, v.Name+" "+r.Method+" "+r.Alternative+" "+r.ZeroMethod, got.P, *r.P)
			checked++
		}
		for rule, want := range v.Exact {
			for name, p := range map[string]float64{"less": want.Less, "greater": want.Greater,
				"two-sided": want.TwoSided} {
				got, err := Wilcoxon(v.X, v.Y,
					WilcoxonOptions{alternatives[name], Exact, zeroRules[rule], false})
				if err != nil {
					t.Fatal(err)
				}
				near(t, v.Name+" enumeration "+rule+" "+name, got.P, p)
				checked++
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d values compared", checked)
	}
}

func TestMannWhitneyEqualsScipy(t *testing.T) {
	for _, v := range readVectors(t).MannWhitney {
		for _, r := range v.Results {
			o := MannWhitneyOptions{alternatives[r.Alternative], methods[r.Method], r.Continuity}
			got, err := MannWhitney(v.X, v.Y, o)
			if err != nil {
				t.Fatal(err)
			}
			near(t, v.Name+" U", got.Statistic, *r.Statistic)
			near(t, v.Name+" "+r.Method+" "+r.Alternative, got.P, *r.P)
		}
		if v.Exact != nil {
			for name, p := range map[string]float64{"less": v.Exact.Less, "greater": v.Exact.Greater,
				"two-sided": v.Exact.TwoSided} {
				got, err := MannWhitney(v.X, v.Y, MannWhitneyOptions{alternatives[name], Exact, false})
				if err != nil {
					t.Fatal(err)
				}
				near(t, v.Name+" enumeration "+name, got.P, p)
			}
		}
		a, err := A12(v.X, v.Y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, v.Name+" A12", a, v.A12)
	}
}

func TestFriedmanEqualsScipy(t *testing.T) {
	for _, v := range readVectors(t).Friedman {
		got, err := Friedman(v.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		near(t, v.Name+" chi2", got.ChiSquare, v.Chi2)
		near(t, v.Name+" p", got.P, v.P)
		if got.Degrees != v.DF {
			t.Errorf("%s: %d degrees of freedom, want %d", v.Name, got.Degrees, v.DF)
		}
		for j, r := range v.MeanRanks {
			near(t, v.Name+" mean rank", got.MeanRanks[j], r)
		}
		f, p, err := got.ImanDavenport()
		if v.F == nil {
			if !errors.Is(err, rsie.ErrInvalid) {
				t.Errorf("%s: F exists: %v %v %v", v.Name, f, p, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		near(t, v.Name+" F", f, *v.F)
		near(t, v.Name+" F p", p, *v.FP)
	}
}

func TestHolmEqualsStatsmodels(t *testing.T) {
	for _, v := range readVectors(t).Holm {
		got, err := Holm(v.P)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			near(t, v.Name, got[i], v.Adjusted[i])
		}
	}
}

// The values are those of the definition, worked by hand: sorted .005 .01 .02 .03 .04 .5 times
// 6/i is .03 .03 .04 .045 .048 .5.
func TestBenjaminiHochberg(t *testing.T) {
	got, err := BenjaminiHochberg([]float64{0.01, 0.04, 0.03, 0.005, 0.5, 0.02})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.03, 0.048, 0.045, 0.03, 0.5, 0.04} {
		near(t, "adjusted", got[i], want)
	}
	got, _ = BenjaminiHochberg([]float64{0.04, 0.035, 0.9})
	for i, want := range []float64{0.06, 0.06, 0.9} {
		near(t, "monotone step", got[i], want)
	}
}

// The quantiles are those of table 5 of Demsar 2006, given there to three places.
func TestNemenyiEqualsDemsar(t *testing.T) {
	table := map[float64][]float64{
		0.05: {1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164},
		0.10: {1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920},
	}
	for alpha, row := range table {
		for i, q := range row {
			k := float64(i + 2)
			got, err := NemenyiDifference(i+2, 14, alpha)
			if err != nil {
				t.Fatal(err)
			}
			if q2 := got / math.Sqrt(k*(k+1)/(6*14)); math.Abs(q2-q) > 1.1e-3 {
				t.Errorf("k %v alpha %v: q %v, want %v", k, alpha, q2, q)
			}
		}
	}
}

func std1(x []float64) float64 {
	m, sum := Mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}

func TestBootstrapEqualsScipy(t *testing.T) {
	statistics := map[string]func([]float64) float64{"mean": Mean, "median": Median,
		"iqm": InterquartileMean, "std1": std1}
	for _, v := range readVectors(t).Bootstrap {
		var indices []int
		for _, line := range v.Indices {
			for _, f := range strings.Fields(line) {
				k, err := strconv.Atoi(f)
				if err != nil {
					t.Fatal(err)
				}
				indices = append(indices, k)
			}
		}
		source := func() func(int) int {
			at := 0
			return func(int) int { at++; return indices[at-1] }
		}
		stat := statistics[v.Statistic]
		low, high, err := BootstrapInterval(v.Sample, stat, v.Resamples, v.Confidence, source())
		if err != nil {
			t.Fatal(err)
		}
		near(t, v.Name+" percentile low", low, v.Percentile[0])
		near(t, v.Name+" percentile high", high, v.Percentile[1])
		low, high, err = BootstrapBCa(v.Sample, stat, v.Resamples, v.Confidence, source())
		if err != nil {
			t.Fatal(err)
		}
		near(t, v.Name+" BCa low", low, v.BCa[0])
		near(t, v.Name+" BCa high", high, v.BCa[1])
	}
}

func TestCorrelationsEqualScipy(t *testing.T) {
	for _, v := range readVectors(t).Correlation {
		rho, p, err := Spearman(v.X, v.Y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, v.Name+" rho", rho, v.Rho)
		near(t, v.Name+" rho p", p, v.RhoP)
		tau, p, err := Kendall(v.X, v.Y, Asymptotic)
		if err != nil {
			t.Fatal(err)
		}
		near(t, v.Name+" tau", tau, v.Tau)
		near(t, v.Name+" tau p", p, v.TauP)
		if v.TauPEx != nil {
			_, p, err := Kendall(v.X, v.Y, Exact)
			if err != nil {
				t.Fatal(err)
			}
			near(t, v.Name+" tau exact p", p, *v.TauPEx)
		}
	}
}

func TestSummariesEqualScipy(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.IQM {
		near(t, "IQM", InterquartileMean(c.X), c.IQM)
		for i, q := range c.Quartiles {
			near(t, "quartile", Quantile(c.X, float64(i+1)/4), q)
		}
		near(t, "median", Median(c.X), c.Quartiles[1])
	}
	for _, c := range v.ERT {
		var evaluations []int64
		var reached []bool
		for _, r := range c.Runs {
			evaluations, reached = append(evaluations, r[0]), append(reached, r[1] == 1)
		}
		got, err := ExpectedRunningTime(evaluations, reached)
		if err != nil {
			t.Fatal(err)
		}
		if c.ERT == nil {
			if !math.IsInf(got, 1) {
				t.Errorf("%s: %v, want +Inf", c.Name, got)
			}
			continue
		}
		near(t, c.Name, got, *c.ERT)
	}
}
