package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("RSIE_STORE_CHILD"); dir != "" {
		os.Exit(child(dir))
	}
	goleak.VerifyTestMain(m)
}

// sample is generation n of a made-up run; everything in it follows from n.
func sample(n int) *Generation {
	g := &Generation{Number: n, Evaluations: int64(n+1) * 1_000_000_007,
		Digest: fmt.Sprintf("%032x", n*n+1), Summary: fmt.Appendf(nil, `{"generation":%d}`, n)}
	key := rsie.NewKey(uint64(n))
	for i := range 200 + n%7 {
		w := key.Words(uint32(i), 0, 0, 0, rsie.StreamProblem)
		g.State = append(g.State, rsie.Uniform(w[0])*float64(i))
	}
	for i := range 4 {
		// Neighbouring generations share two of their four strategies.
		id := 2*n + i
		s := Strategy{Digest: fmt.Sprintf("strategy-%d", id), Genes: fmt.Appendf(nil, `{"id":%d}`, id),
			Generation: max(0, (id-2)/2)}
		if id > 0 {
			s.Parents = []string{fmt.Sprintf("strategy-%d", id-1)}
		}
		g.Strategies = append(g.Strategies, s)
		for r := range 3 {
			w := key.Words(uint32(i), uint32(r), 0, 0, rsie.StreamChild)
			g.Results = append(g.Results, Result{Strategy: s.Digest, Task: "two moons", Replicate: r,
				Seed: uint64(w[0])<<32 | uint64(w[1]), Phase: "search", Evaluations: 100,
				Final: rsie.Uniform(w[2]), Area: -rsie.Uniform(w[3]), MetaFitness: float64(r),
				Metrics: fmt.Appendf(nil, `{"m":%d}`, w[0])})
		}
	}
	return g
}

// contents is all that a run returns.
type contents struct {
	config, note, finish []byte
	finished             bool
	last                 *Generation
	generations          []Generation
	strategies           []Strategy
	results              []Result
}

func read(s *Store) (c contents, err error) {
	var errs [7]error
	c.config, errs[0] = s.Config()
	c.note, errs[1] = s.Get("note")
	c.finish, c.finished, errs[2] = s.Finished()
	c.last, errs[3] = s.Last()
	errs[4] = s.Generations(func(g Generation) error {
		c.generations = append(c.generations, g)
		return nil
	})
	c.strategies, errs[5] = s.Strategies()
	errs[6] = s.Results(func(r Result) error {
		c.results = append(c.results, r)
		return nil
	})
	return c, errors.Join(errs[:]...)
}

// expected is what a run of n samples must return.
func expected(n int) contents {
	c := contents{config: []byte(`{"seed":1}`)}
	known := map[string]bool{}
	for i := range n {
		g := sample(i)
		for _, s := range g.Strategies {
			if !known[s.Digest] {
				known[s.Digest] = true
				if s.Parents == nil {
					s.Parents = []string{}
				}
				c.strategies = append(c.strategies, s)
			}
		}
		c.results = append(c.results, g.Results...)
		last := *g
		last.Strategies, last.Results = nil, nil
		c.last = &last
		last2 := last
		last2.State = nil
		c.generations = append(c.generations, last2)
	}
	return c
}

func mustEqual(t *testing.T, got, want contents) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("the run returns something else than was stored:\n%.600v\n%.600v", got, want)
	}
}

func sampleRun(t testing.TB, generations int) *Store {
	t.Helper()
	s, err := Create(filepath.Join(t.TempDir(), "a run"), []byte(`{"seed":1}`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for i := range generations {
		if err := s.Commit(sample(i)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func wantInvalid(t *testing.T, err error, texts ...string) {
	t.Helper()
	if !errors.Is(err, rsie.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %q", err, text)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	s := sampleRun(t, 5)
	for range 2 { // the second time after Close and Open
		got, err := read(s)
		if err != nil {
			t.Fatal(err)
		}
		mustEqual(t, got, expected(5))
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := read(s); err == nil {
			t.Error("a closed store can be read")
		}
		if s.Commit(sample(5)) == nil {
			t.Error("a closed store takes a generation")
		}
		if s, err = Open(s.dir); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if _, err := os.Stat(s.path() + ".new" + suffix); err == nil {
			t.Errorf("run.db.new%s is left", suffix)
		}
	}
}

func TestEmptyRun(t *testing.T) {
	got, err := read(sampleRun(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, got, expected(0))
}

// Values that SQLite has no room for: unsigned seeds, NaN, texts with a zero byte.
func TestExtremeValuesSurvive(t *testing.T) {
	s := sampleRun(t, 0)
	g := &Generation{State: []float64{math.NaN(), math.Inf(-1), math.Copysign(0, -1), 5e-324,
		math.MaxFloat64}}
	seeds := []uint64{0, 1, 1<<63 - 1, 1 << 63, math.MaxUint64}
	floats := []float64{math.NaN(), math.Inf(1), math.Copysign(0, -1), 5e-324, 3}
	for i, seed := range seeds {
		g.Results = append(g.Results, Result{Task: "a\x00b\xffé", Seed: seed, Final: floats[i],
			Area: -floats[i], MetaFitness: floats[i], Evaluations: math.MaxInt64, Metrics: []byte{0, 255}})
	}
	g.Strategies = []Strategy{{Digest: "", Genes: nil, Parents: []string{"", "\"x"}}}
	if err := s.Commit(g); err != nil {
		t.Fatal(err)
	}
	last, err := s.Last()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range g.State {
		if math.Float64bits(last.State[i]) != math.Float64bits(v) {
			t.Errorf("state %d is %v, want %v", i, last.State[i], v)
		}
	}
	i := 0
	err = s.Results(func(r Result) error {
		want := g.Results[i]
		same := r.Final == want.Final && r.Area == want.Area || math.IsNaN(r.Final) && math.IsNaN(want.Final)
		if r.Seed != want.Seed || r.Task != want.Task || !same || !bytes.Equal(r.Metrics, want.Metrics) ||
			r.Evaluations != want.Evaluations {
			t.Errorf("result %d is %+v, want %+v", i, r, want)
		}
		i++
		return nil
	})
	if err != nil || i != len(seeds) {
		t.Errorf("%d results, %v", i, err)
	}
	strategies, err := s.Strategies()
	if err != nil || !slices.Equal(strategies[0].Parents, []string{"", "\"x"}) {
		t.Errorf("%+v %v", strategies, err)
	}
}

func TestDocuments(t *testing.T) {
	s := sampleRun(t, 1)
	if b, err := s.Get("note"); b != nil || err != nil {
		t.Errorf("an absent document is %q, %v", b, err)
	}
	for _, value := range [][]byte{[]byte("one"), []byte("two"), {}} {
		if err := s.Put("note", value); err != nil {
			t.Fatal(err)
		}
		if b, err := s.Get("note"); !bytes.Equal(b, value) || b == nil || err != nil {
			t.Errorf("got %q %v, want %q", b, err, value)
		}
	}
	wantInvalid(t, s.Put("_config", nil), "underscore")
	wantInvalid(t, s.Put("", nil), "underscore")
	if _, ok, err := s.Finished(); ok || err != nil {
		t.Errorf("finished %v, %v before Finish", ok, err)
	}
	for _, doc := range []string{"first", "again"} {
		if err := s.Finish([]byte(doc)); err != nil {
			t.Fatal(err)
		}
		if b, ok, err := s.Finished(); string(b) != doc || !ok || err != nil {
			t.Errorf("finished with %q %v %v", b, ok, err)
		}
	}
	wantInvalid(t, s.Commit(sample(1)), "finished")
}

func TestGenerationsComeInOrder(t *testing.T) {
	s := sampleRun(t, 2)
	wantInvalid(t, s.Commit(sample(1)), "out of order", "next is 2")
	wantInvalid(t, s.Commit(sample(3)), "out of order")
	got, err := read(s)
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, got, expected(2)) // the refused ones left nothing
}

// The states dominate a run of few results; without pruning 300 of them would take 300 times
// the room of one.
func TestOldStatesLeave(t *testing.T) {
	s := sampleRun(t, 0)
	size := func() int64 {
		var pages int64
		if err := s.writer.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
			t.Fatal(err)
		}
		return pages
	}
	after := int64(0)
	for i := range 60 {
		g := &Generation{Number: i, State: make([]float64, 20_000)}
		key := rsie.NewKey(uint64(i))
		for k := range g.State {
			g.State[k] = rsie.Uniform(key.Words(uint32(k), 0, 0, 0, rsie.StreamProblem)[0])
		}
		if err := s.Commit(g); err != nil {
			t.Fatal(err)
		}
		if i == 9 {
			after = size()
		}
	}
	if now := size(); now > after+after/10 {
		t.Errorf("%d pages after 60 generations, %d after 10", now, after)
	}
	var kept string
	err := s.writer.QueryRow("SELECT group_concat(generation) FROM states").Scan(&kept)
	if kept != "58,59" || err != nil {
		t.Errorf("states of generations %s are kept, want 58,59 (%v)", kept, err)
	}
}

func TestCallbackMayUseTheStore(t *testing.T) {
	s := sampleRun(t, 2)
	stop := errors.New("stop")
	calls := 0
	err := s.Results(func(Result) error {
		calls++
		if err := s.Put("note", []byte("from inside")); err != nil {
			return err
		}
		if _, err := s.Last(); err != nil {
			return err
		}
		if calls == 3 {
			return stop
		}
		return nil
	})
	if err != stop || calls != 3 {
		t.Errorf("%v after %d calls, want the callback's own error after 3", err, calls)
	}
	if err := s.Generations(func(Generation) error { return stop }); err != stop {
		t.Errorf("got %v, want the callback's own error", err)
	}
}

func TestCreateRefuses(t *testing.T) {
	s := sampleRun(t, 1)
	_, err := Create(s.dir, nil)
	wantInvalid(t, err, "holds a run", "rsie resume "+s.dir)
	if got, err := read(s); err != nil {
		t.Fatal(err)
	} else {
		mustEqual(t, got, expected(1))
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Create(file, nil)
	wantInvalid(t, err, "is a file")
	_, err = Create(filepath.Join(file, "below"), nil)
	wantInvalid(t, err, "is a file")
	_, err = Open(file)
	wantInvalid(t, err, "holds no run")
	_, err = Open(t.TempDir())
	wantInvalid(t, err, "holds no run", "rsie evolve")
	_, err = OpenReadOnly(t.TempDir())
	wantInvalid(t, err, "holds no run")
}

// What a killed Create left is no obstacle, and a failed one leaves nothing.
func TestCreateLeavesNothingHalfWritten(t *testing.T) {
	dir := t.TempDir()
	part := filepath.Join(dir, "run.db.new")
	if err := os.WriteFile(part, []byte("torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Create(dir, []byte("c"))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := os.Stat(part); err == nil {
		t.Error("run.db.new is left")
	}
	// A folder in the place of the temporary file cannot be removed or opened.
	blocked := filepath.Join(t.TempDir(), "new", "run")
	if err := os.MkdirAll(filepath.Join(blocked, "run.db.new", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(blocked, nil); err == nil {
		t.Fatal("Create succeeded over a folder in its way")
	}
	entries, err := os.ReadDir(blocked)
	if err != nil || len(entries) != 1 {
		t.Errorf("a failed Create left %v (%v)", entries, err)
	}
}

func TestAnyFolderNameWorks(t *testing.T) {
	for _, name := range []string{"a?b=c", "50%25", "x#y", "é ü", "'q\"", "a&_pragma=user_version(7)"} {
		dir := filepath.Join(t.TempDir(), name)
		s, err := Create(dir, []byte("c"))
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if _, err := os.Stat(filepath.Join(dir, "run.db")); err != nil {
			t.Error(err)
		}
		if s, err = Open(dir); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}

func TestOneWriter(t *testing.T) {
	s := sampleRun(t, 1)
	_, err := Open(s.dir)
	wantInvalid(t, err, "in use", fmt.Sprintf("process %d", os.Getpid()))
	r, err := OpenReadOnly(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i := 1; i < 4; i++ { // a reader sees what the writer has committed
		if err := s.Commit(sample(i)); err != nil {
			t.Fatal(err)
		}
		got, err := read(r)
		if err != nil {
			t.Fatal(err)
		}
		mustEqual(t, got, expected(i+1))
	}
	wantInvalid(t, r.Commit(sample(4)), "reading only")
	wantInvalid(t, r.Put("note", nil), "reading only")
	// A reader in the middle of the results sees one state and does not stop the writer.
	seen := 0
	err = r.Results(func(Result) error {
		if seen++; seen == 1 {
			return s.Commit(sample(4))
		}
		return nil
	})
	if want := len(expected(4).results); err != nil || seen != want {
		t.Errorf("%d results (%v), want the %d of the time before", seen, err, want)
	}
	s.Close()
	again, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestNetworkFileSystems(t *testing.T) {
	for magic, name := range map[uint32]string{0x6969: "NFS", 0x517B: "SMB", 0xFF534D42: "CIFS",
		0xFE534D42: "SMB2", 0xEF53: "", 0x01021994: "", 0x01021997: "", 0x65735546: ""} {
		if got := networkName(magic); got != name {
			t.Errorf("%#x is %q, want %q", magic, got, name)
		}
	}
	wantInvalid(t, checkLocal("/runs/x", "NFS"), "/runs/x", "NFS", "--out")
	if err := checkLocal("/runs/x", ""); err != nil {
		t.Error(err)
	}
	if got := network(t.TempDir()); got != "" {
		t.Skipf("the temporary folder is on %s", got)
	}
}

func commitBenchmark(b *testing.B, state, results int) {
	s := sampleRun(b, 0)
	base := sample(1)
	g := &Generation{State: make([]float64, state)}
	for i := range g.State {
		g.State[i] = math.Sin(float64(i))
	}
	for i := range results {
		g.Results = append(g.Results, base.Results[i%len(base.Results)])
	}
	b.ResetTimer()
	for i := range b.N {
		g.Number = i
		if err := s.Commit(g); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	if results > 1 {
		b.ReportMetric(float64(b.N*results)/b.Elapsed().Seconds(), "rows/s")
	}
}

// BenchmarkCommitSmall times a commit: about 0.7 ms of a core that others use as well (measured
// in memory, 1,240 commits/s), and the wait for one fdatasync of the log: with synchronous=FULL a
// power cut loses nothing once Commit has returned. That took 0.1 ms at best and 1.1 ms in the
// median on a disk that other programs wrote to, where 440 commits/s remained. A search commits a
// few times a minute.
func BenchmarkCommitSmall(b *testing.B) { commitBenchmark(b, 10, 1) }

func BenchmarkCommitThousandResults(b *testing.B) { commitBenchmark(b, 1000, 1000) }

func BenchmarkReadResults(b *testing.B) {
	s := sampleRun(b, 100)
	rows := 0
	for b.Loop() {
		if err := s.Results(func(Result) error { rows++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
