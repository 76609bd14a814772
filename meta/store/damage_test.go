package store

import (
	"bufio"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

var update = flag.Bool("update", false, "write testdata/run-v1 anew")

// child opens or creates the run in dir and commits until it is killed.
func child(dir string) int {
	s, err := Open(dir)
	if err != nil {
		s, err = Create(dir, []byte(`{"seed":1}`))
	}
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	last, err := s.Last()
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	next := 0
	if last != nil {
		next = last.Number + 1
	}
	for ; ; next++ {
		if err := s.Commit(sample(next)); err != nil {
			fmt.Println("error", err)
			return 1
		}
		fmt.Println(next)
	}
}

// killAfter runs a child until it has reported lines generations and kills it at once, which
// is in the middle of the next. It returns the last that was reported.
func killAfter(t *testing.T, dir string, lines int) int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^$")
	c.Env = append(os.Environ(), "RSIE_STORE_CHILD="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	last := -1
	scan := bufio.NewScanner(out)
	for range lines {
		if !scan.Scan() {
			break
		}
		if last, err = strconv.Atoi(scan.Text()); err != nil {
			t.Errorf("child: %s", scan.Text())
			break
		}
	}
	if err := c.Process.Kill(); err != nil {
		t.Error(err)
	}
	for scan.Scan() { // what it reported before the signal arrived
		if n, err := strconv.Atoi(scan.Text()); err == nil {
			last = n
		}
	}
	_ = c.Wait()
	return last
}

func TestKilledWriterLosesNothingCommitted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	for kill := range 20 {
		reported := killAfter(t, dir, 1+kill*7%13)
		if kill%4 == 3 {
			continue // the next child recovers by itself
		}
		open := Open
		if kill%2 == 1 {
			open = OpenReadOnly
		}
		s, err := open(dir)
		if err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		got, err := read(s)
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		if len(got.generations) < reported+1 {
			t.Fatalf("kill %d: %d generations, but %d was reported", kill, len(got.generations), reported)
		}
		mustEqual(t, got, expected(len(got.generations)))
	}
}

func TestTwoProcessesDoNotWriteOneRun(t *testing.T) {
	s := sampleRun(t, 1)
	if got := killAfter(t, t.TempDir(), 1); got < 0 {
		t.Fatal("the child does not work")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^$")
	c.Env = append(os.Environ(), "RSIE_STORE_CHILD="+s.dir)
	out, err := c.Output()
	if err == nil || !strings.Contains(string(out), "holds a run already") {
		t.Errorf("a second process: %v %s", err, out)
	}
	if err := s.Commit(sample(1)); err != nil {
		t.Error(err)
	}
}

// finishedRun returns the bytes of a closed run of 12 generations and its contents.
func finishedRun(t *testing.T) ([]byte, contents) {
	t.Helper()
	s := sampleRun(t, 12)
	err := errors.Join(s.Put("note", []byte("a note")), s.Finish([]byte(`{"done":true}`)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := read(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.path())
	if err != nil {
		t.Fatal(err)
	}
	return b, want
}

// readBytes opens a run whose database is b with both ways of opening and reads all of it.
func readBytes(t *testing.T, dir string, b []byte) map[string]error {
	t.Helper()
	out := map[string]error{}
	both := map[string]func(string) (*Store, error){"Open": Open, "OpenReadOnly": OpenReadOnly}
	for name, open := range both {
		removeDatabase(filepath.Join(dir, "run.db"))
		if err := os.WriteFile(filepath.Join(dir, "run.db"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := open(dir)
		if err == nil {
			var got contents
			got, err = read(s)
			s.Close()
			if err == nil {
				err = same{got}
			}
		}
		out[name] = err
	}
	return out
}

// same carries what an undisturbed read returned.
type same struct{ contents }

func (same) Error() string { return "read without an error" }

func judge(t *testing.T, what string, got map[string]error, want contents) (detected int) {
	t.Helper()
	for name, err := range got {
		var read same
		switch {
		case errors.As(err, &read):
			if !reflect.DeepEqual(read.contents, want) {
				t.Errorf("%s, %s: other data without an error", what, name)
			}
		case !errors.Is(err, rsie.ErrInvalid):
			t.Errorf("%s, %s: %v, want ErrInvalid", what, name, err)
		default:
			detected++
		}
	}
	return detected
}

func TestFlippedBitsAreFoundOrHarmless(t *testing.T) {
	b, want := finishedRun(t)
	dir := t.TempDir()
	if judge(t, "the intact file", readBytes(t, dir, b), want) != 0 {
		t.Fatal("the intact file is refused")
	}
	detected := 0
	for i := range 200 {
		// A quarter of the flips fall on the header of 100 bytes, the rest everywhere.
		at := (i*len(b) + i*37) / 200 % len(b)
		if i%4 == 0 {
			at = i * 100 / 200
		}
		flipped := append([]byte(nil), b...)
		flipped[at] ^= 1 << (i * 5 % 8)
		what := fmt.Sprintf("bit %d of byte %d", i*5%8, at)
		detected += judge(t, what, readBytes(t, dir, flipped), want)
	}
	// The rest fall on bytes that hold nothing: free pages, room left on pages, statistics.
	if detected < 120 {
		t.Errorf("only %d of 400 reads met the damage", detected)
	}
}

func TestTruncatedFilesAreFound(t *testing.T) {
	b, want := finishedRun(t)
	dir := t.TempDir()
	lengths := []int{0, 1, 15, 16, 99, 100, 101, 4095, 4096, 4097, len(b) - 4096, len(b) - 1}
	for i := range 20 {
		lengths = append(lengths, i*len(b)/20)
	}
	for _, n := range lengths {
		what := fmt.Sprintf("%d of %d bytes", n, len(b))
		if got := judge(t, what, readBytes(t, dir, b[:n]), want); got != 2 {
			t.Errorf("%s: met by %d of 2", what, got)
		}
	}
}

// A damaged WAL gives an earlier generation, never a mixture.
func TestDamagedWALGivesAnEarlierGeneration(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	killAfter(t, dir, 12)
	files := map[string][]byte{}
	for _, name := range []string{"run.db", "run.db-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	earlier := 0
	wal := files["run.db-wal"]
	for i := range 30 {
		copied := t.TempDir()
		flipped := append([]byte(nil), wal...)
		flipped[i*len(wal)/30] ^= 4
		if err := errors.Join(os.WriteFile(filepath.Join(copied, "run.db"), files["run.db"], 0o644),
			os.WriteFile(filepath.Join(copied, "run.db-wal"), flipped, 0o644)); err != nil {
			t.Fatal(err)
		}
		s, err := Open(copied)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(s)
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if len(got.generations) < 12 {
			earlier++
		}
		mustEqual(t, got, expected(len(got.generations)))
	}
	if earlier == 0 {
		t.Error("no flip had any effect: the test reads another file than it damages")
	}
}

func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestForeignAndNewerDatabasesAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ statement, text string }{
		"newer":         {"PRAGMA user_version = 99", "version 99"},
		"other program": {"PRAGMA application_id = 7", "no database of a run"},
		"trigger": {"CREATE TRIGGER x AFTER INSERT ON results BEGIN DELETE FROM results; END",
			"schema"},
		"row removed":    {"DELETE FROM results WHERE seq = 5", "damaged"},
		"last removed":   {"DELETE FROM results WHERE seq = 24", "damaged"},
		"last strategy":  {"DELETE FROM strategies WHERE seq = 6", "damaged"},
		"last of all":    {"DELETE FROM generations WHERE number = 1", "damaged"},
		"state removed":  {"DELETE FROM states WHERE generation = 1", "damaged"},
		"config removed": {"DELETE FROM documents", "damaged"},
		"edited":         {"UPDATE results SET final = final + 1 WHERE seq = 3", "result 3 of generation 0"},
		"other type":     {"UPDATE results SET evaluations = 'x' WHERE seq = 3", "damaged"},
		"head removed":   {"DELETE FROM head", "damaged"},
		"head and row agree, generation does not": {"DELETE FROM results WHERE seq = 24; " +
			fmt.Sprintf("UPDATE head SET results = 23, crc = %d", head{2, 6, 23, 1}.sum()),
			"counts differ"},
		"state edited": {"UPDATE states SET length = 1 WHERE generation = 1", "state of generation 1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sampleRun(t, 2)
			s.Close()
			execute(t, s.path(), c.statement)
			for _, open := range []func(string) (*Store, error){Open, OpenReadOnly} {
				s, err := open(s.dir)
				if err == nil {
					_, err = read(s)
					s.Close()
				}
				wantInvalid(t, err, c.text)
			}
		})
	}
}

func TestMigrationKeepsACopy(t *testing.T) {
	s := sampleRun(t, 3)
	s.Close()
	next := append(steps(), func(tx *sql.Tx) error {
		_, err := tx.Exec("ALTER TABLE results ADD COLUMN note TEXT")
		return err
	})
	broken := append(steps(), func(tx *sql.Tx) error {
		if _, err := tx.Exec("DROP TABLE results"); err != nil {
			return err
		}
		return errors.New("the step fails")
	})
	open := func(all []step) error {
		m := &Store{dir: s.dir}
		defer m.closeDatabases()
		var err error
		if m.writer, err = openDatabase(m.path(), "mode=rw&_txlock=immediate"); err != nil {
			return err
		}
		if err := m.check(m.writer, all); err != nil {
			return err
		}
		return migrate(m.writer, m.path(), all)
	}
	if err := open(broken); err == nil || !strings.Contains(err.Error(), "from version 1") {
		t.Errorf("a failing step: %v", err)
	}
	r, err := OpenReadOnly(s.dir) // and it left the run as it was
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, got, expected(3))
	if err := open(next); err != nil {
		t.Fatal(err)
	}
	_, err = Open(s.dir)
	wantInvalid(t, err, "version 2")
	if err := open(next); err != nil { // twice is once
		t.Error(err)
	}
	copied := t.TempDir()
	if err := os.Rename(s.path()+".v1", filepath.Join(copied, "run.db")); err != nil {
		t.Fatal(err)
	}
	if got := judge(t, "the copy", map[string]error{"Open": reopen(copied)}, expected(3)); got != 0 {
		t.Errorf("the copy cannot be read")
	}
}

func reopen(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	got, err := read(s)
	if err != nil {
		return err
	}
	return same{got}
}

// The golden run was written by the first version of the format; every later version reads it.
// Its bytes never change: -update is for the first time.
func TestGoldenRunOpens(t *testing.T) {
	golden := filepath.Join("testdata", "run-v1", "run.db")
	if *update {
		b, _ := finishedRun(t)
		err := errors.Join(os.MkdirAll(filepath.Dir(golden), 0o755), os.WriteFile(golden, b, 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := expected(12)
	want.note, want.finish, want.finished = []byte("a note"), []byte(`{"done":true}`), true
	if judge(t, "golden run", readBytes(t, t.TempDir(), b), want) != 0 {
		t.Errorf("the golden run is refused")
	}
}
