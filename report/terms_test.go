package report

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestReadMetrics compares the short way with package encoding/json, on what runs hold and on texts
// that are not it.
func TestReadMetrics(t *testing.T) {
	own, err := json.Marshal(rsie.Metrics{ConvergenceSpeed: 0.1, FinalFitness: 1e-9, SampleEfficiency: 1.0 / 3, Diversity: 1, Robustness: -0.5, ComputationalEfficiency: 0})
	require.NoError(t, err)
	var short rsie.Metrics
	require.True(t, flatMetrics(own, &short), "what a run holds is read the short way")
	for _, text := range []string{string(own), `{}`, `{"diversity":0.5}`, `{ "diversity": 0.5 }`, `{"other":1,"diversity":2}`, `{"diversity":1,"diversity":2}`,
		`{"diversity":null}`, `{"diversity":"1"}`, `{"diversity":1,}`, `{"diversity":}`, `{"diversity":1`, `[1]`, ``, `{"diversity":NaN}`, `{"diversity":0x1p3}`,
		`{"diversity":1_0}`, `{"diversity":+1}`, `{"diversity":.5}`, `{"diversity":[1,2]}`, `{"diversity":1}}`, `{,}`, `{"diversity":1e400}`, `{"diversity":01}`,
		`{"diversity":-01}`, `{"diversity":1.}`, `{"diversity":-.5}`, `{"diversity":-}`, `{"diversity":1e}`, `{"diversity":1E3}`, `{"diversity":1e+3}`, `{"diversity":-0}`,
		`{"diversity":inf}`, `{"diversity":1.e5}`, `{"diversity":"a,b"}`, `{"a:b":1,"diversity":2}`, `{"Diversity":2}`} {
		var got, want rsie.Metrics
		failed := json.Unmarshal([]byte(text), &want) != nil
		require.Equal(t, failed, readMetrics([]byte(text), &got) != nil, text)
		if !failed {
			require.Equal(t, want, got, text)
		}
	}
}
