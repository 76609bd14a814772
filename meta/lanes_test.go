package meta

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/task"
)

// TestEachProblem expects every problem to be worked on once, those of the host by one lane in
// order, and the error of the first problem that has one.
func TestEachProblem(t *testing.T) {
	suite, err := task.Embedded("standard")
	require.NoError(t, err)
	model := suite.Tasks[0].Problem
	problems := []rsie.Problem{flat{}, model, flat{}, model, model, flat{}}
	for _, workers := range []int{1, 2, 5} {
		b, err := cpu.NewGonum(workers)
		require.NoError(t, err)
		done := make([]rsie.Backend, len(problems))
		require.NoError(t, EachProblem(b, problems, func(int) int { return 1 }, func(i int, b rsie.Backend) error {
			if i == 2 || i == 5 {
				require.Same(t, done[0], b, "problems of the host share a lane")
			}
			require.Nil(t, done[i])
			done[i] = b
			return nil
		}))
		require.NotContains(t, done, nil)
		first, second := errors.New("first"), errors.New("second")
		err = EachProblem(b, problems[:3], func(int) int { return 1 }, func(i int, _ rsie.Backend) error {
			return map[int]error{0: first, 1: second}[i]
		})
		require.True(t, errors.Is(err, first) || errors.Is(err, second), "%v", err)
		require.NoError(t, b.Close())
	}
}

// TestMeasureOnLanes expects the same bits from one worker and from lanes of several.
func TestMeasureOnLanes(t *testing.T) {
	suite, err := task.Embedded("quick")
	require.NoError(t, err)
	var want []measured
	for _, workers := range []int{1, 2, 7} {
		b, err := cpu.New(workers)
		require.NoError(t, err)
		e, err := NewEngine(Config{Backend: b, BaseTaskBudget: 200})
		require.NoError(t, err)
		targets, err := e.targets(context.Background(), suite.Tasks, nil)
		require.NoError(t, err)
		require.Greater(t, len(targets), 2)
		got, err := e.measure(context.Background(), targets, rsie.Starts(), rsie.NewKey(3), 2)
		require.NoError(t, err)
		if want == nil {
			want = got
		}
		require.Equal(t, want, got)
		require.NoError(t, b.Close())
	}
}

// TestLanesKeepTheLimit expects no parts of a backend with limited memory.
func TestLanesKeepTheLimit(t *testing.T) {
	if !cpu.HasNative {
		t.Skip("built without cgo")
	}
	b, err := cpu.NewAuto(4)
	require.NoError(t, err)
	defer b.Close()
	parts, err := b.Split(4)
	require.NoError(t, err)
	require.Len(t, parts, 4)
	for _, p := range parts {
		require.NoError(t, p.Close())
	}
	b.Backend.(*cpu.Native).Limit(1 << 20)
	parts, err = b.Split(4)
	require.NoError(t, err)
	require.Empty(t, parts)
}
