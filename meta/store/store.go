package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	rsie "github.com/symbio-ai/recursive-improvement"
	"modernc.org/sqlite"
)

// Store is an open run folder. Its methods may be called from several goroutines. Close it.
type Store struct {
	dir    string
	lock   *os.File // nil when read-only
	writer *sql.DB  // one connection; nil when read-only
	reader *sql.DB  // read-only connections, so that a callback may read and write
	insert statements
	commit sync.Mutex

	closing sync.Once
	closed  error
}

// The names of the documents that the store itself keeps; Put refuses a leading underscore.
const (
	configName = "_config"
	resultName = "_result"
)

// The result codes of SQLite that get a message of their own, https://sqlite.org/rescode.html.
const (
	codeBusy      = 5
	codeReadOnly  = 8
	codeIO        = 10
	codeCorrupt   = 11
	codeFull      = 13
	codeCantOpen  = 14
	codeNoDataset = 26
)

// Create makes the folder dir with an empty run of the given configuration and opens it for
// writing. A folder that holds a run, a path that is no folder and a network file system are
// [rsie.ErrInvalid]. After a failure dir is as it was.
func Create(dir string, config []byte) (*Store, error) {
	undo, err := makeFolder(dir)
	if err != nil {
		return nil, err
	}
	s, err := create(dir, config)
	if err != nil {
		undo()
		return nil, err
	}
	return s, nil
}

func create(dir string, config []byte) (s *Store, err error) {
	if err := checkFree(dir); err != nil {
		return nil, err
	}
	if err := checkLocal(dir, network(dir)); err != nil {
		return nil, err
	}
	_, missing := os.Lstat(filepath.Join(dir, "run.lock"))
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	if err := checkFree(dir); err != nil { // another process may have made it meanwhile
		lock.Close()
		return nil, err
	}
	s = &Store{dir: dir, lock: lock}
	part := s.path() + ".new"
	removeDatabase(part) // what a killed Create left
	err = s.build(part, config)
	if err == nil {
		err = os.Rename(part, s.path())
	}
	if err == nil {
		err = syncFolder(dir)
	}
	if err == nil {
		err = s.openWriter(steps())
	}
	if err != nil {
		// The order matters: the files go while the lock is held.
		s.closeDatabases()
		removeDatabase(part)
		removeDatabase(s.path())
		if missing != nil {
			os.Remove(lock.Name())
		}
		lock.Close()
		return nil, fmt.Errorf("run folder %s: %w", dir, err)
	}
	return s, nil
}

// build writes a whole empty run at path.
func (s *Store) build(path string, config []byte) error {
	db, err := openDatabase(path, "mode=rwc")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	if err := migrate(db, path, steps()); err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if err := s.putDocument(tx, configName, config); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return db.Close()
}

func checkFree(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, "run.db")); err == nil {
		return fmt.Errorf("%w: %s holds a run already; continue it with: rsie resume %s, or choose "+
			"another folder with --out", rsie.ErrInvalid, dir, dir)
	}
	return nil
}

// makeFolder creates dir and its parents and returns what removes those it created.
func makeFolder(dir string) (undo func(), err error) {
	var made []string
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err == nil {
			if !info.IsDir() {
				return nil, fmt.Errorf("%w: run folder %s: %s is a file; choose another folder with "+
					"--out", rsie.ErrInvalid, dir, at)
			}
			break
		}
		if filepath.Dir(at) == at {
			break
		}
		made = append(made, at)
	}
	undo = func() {
		for _, path := range made {
			os.Remove(path)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		undo()
		return nil, fmt.Errorf("%w: run folder %s: %w; choose another with --out",
			rsie.ErrInvalid, dir, err)
	}
	return undo, nil
}

func removeDatabase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		os.Remove(path + suffix)
	}
}

// Open opens the run in dir for writing. [rsie.ErrInvalid] says when there is none, when it is
// damaged, when another process writes it, or when a newer program made it. An older format is
// brought up to date; run.db.vN then holds the copy from before.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir}
	if err := s.checkFile(); err != nil {
		return nil, err
	}
	if err := checkLocal(dir, network(dir)); err != nil {
		return nil, err
	}
	var err error
	if s.lock, err = lockFolder(dir); err != nil {
		return nil, err
	}
	if err := s.openWriter(steps()); err != nil {
		s.closeDatabases()
		s.lock.Close()
		return nil, err
	}
	return s, nil
}

// OpenReadOnly opens the run in dir for reading, also while another process writes it and also
// in a folder that cannot be written, unless changes wait there to be merged.
func OpenReadOnly(dir string) (*Store, error) {
	s := &Store{dir: dir}
	if err := s.checkFile(); err != nil {
		return nil, err
	}
	err := errors.New("no shared memory")
	if network(dir) == "" {
		if err = s.openReader("mode=ro"); err == nil {
			return s, nil
		}
		if c := code(err); c != codeCantOpen && c != codeReadOnly && c != codeIO {
			return nil, err
		}
	}
	// Without a -shm file SQLite reads only what never changes.
	if info, statErr := os.Stat(s.path() + "-wal"); statErr == nil && info.Size() > 0 {
		return nil, fmt.Errorf("%w: %s holds changes not merged yet (run.db-wal) and cannot be "+
			"written; copy it to a folder that can: %w", rsie.ErrInvalid, dir, err)
	}
	if err := s.openReader("mode=ro&immutable=1"); err != nil {
		return nil, err
	}
	return s, nil
}

// checkFile tells a missing or torn file before SQLite takes an empty one for a new database.
func (s *Store) checkFile() error {
	f, err := os.Open(s.path())
	if err != nil {
		return fmt.Errorf("%w: %s holds no run: %w; start one with: rsie evolve --out %s",
			rsie.ErrInvalid, s.dir, err, s.dir)
	}
	defer f.Close()
	magic := make([]byte, 100)
	n, err := f.ReadAt(magic, 0)
	if n < len(magic) {
		return s.damaged("database", fmt.Sprintf("only %d bytes of the header are left (%v)", n, err))
	}
	if string(magic[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("%w: %s is no database of a run", rsie.ErrInvalid, s.path())
	}
	return nil
}

func (s *Store) openWriter(all []step) error {
	var err error
	if s.writer, err = openDatabase(s.path(), "mode=rw&_txlock=immediate"); err != nil {
		return err
	}
	if err := s.check(s.writer, all); err != nil {
		return err
	}
	if err := migrate(s.writer, s.path(), all); err != nil {
		return s.fault("database", err)
	}
	if _, err := s.writer.Exec("PRAGMA journal_mode = WAL"); err != nil {
		return s.fault("database", err)
	}
	if err := s.insert.prepare(s.writer); err != nil {
		return s.fault("database", err)
	}
	if s.reader, err = openDatabase(s.path(), "mode=ro"); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(0)
	return s.checkDocuments()
}

func (s *Store) openReader(query string) (err error) {
	defer func() {
		if err != nil {
			s.closeDatabases()
			s.reader = nil
		}
	}()
	if s.reader, err = openDatabase(s.path(), query); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(0)
	if err := s.check(s.reader, steps()); err != nil {
		return err
	}
	version, err := pragma(s.reader, "user_version")
	if err != nil {
		return s.fault("header", err)
	}
	if version < len(steps()) {
		return fmt.Errorf("%w: %s has the older format %d; bring it up to date with: rsie resume %s",
			rsie.ErrInvalid, s.path(), version, s.dir)
	}
	return s.checkDocuments()
}

// openDatabase returns a pool of one connection. A reader waits at most for the moment in which
// a writer restarts the WAL.
func openDatabase(path, query string) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(full),
		RawQuery: query + "&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)" +
			"&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// Close merges the WAL and releases the lock. It is safe to call twice.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.commit.Lock()
		defer s.commit.Unlock()
		s.closed = s.closeDatabases()
		if s.lock != nil {
			s.closed = errors.Join(s.closed, s.lock.Close())
		}
	})
	return s.closed
}

// closeDatabases closes the reader first: the last connection merges the WAL, and only the
// writer can.
func (s *Store) closeDatabases() error {
	var err error
	if s.reader != nil {
		err = s.reader.Close()
	}
	s.insert.close()
	if s.writer != nil {
		err = errors.Join(err, s.writer.Close())
	}
	return err
}

func (s *Store) path() string { return filepath.Join(s.dir, "run.db") }

// damaged is the error of content that is not what was written.
func (s *Store) damaged(what, detail string) error {
	return fmt.Errorf("%w: run folder %s: the %s is damaged: %s; restore run.db from a copy, or "+
		"start anew with another --out", rsie.ErrInvalid, s.dir, what, detail)
}

// fault says what an error of the database means for the user.
func (s *Store) fault(what string, err error) error {
	if err == nil {
		return nil
	}
	switch code(err) {
	case 0: // not from SQLite
		if errors.Is(err, rsie.ErrInvalid) {
			return err // it says which run it is about
		}
		return fmt.Errorf("run folder %s: %s: %w", s.dir, what, err)
	case codeFull:
		return fmt.Errorf("run folder %s: %s: the disk is full; everything up to the last whole "+
			"generation is saved: free space, then: rsie resume %s: %w", s.dir, what, s.dir, err)
	case codeBusy:
		return fmt.Errorf("run folder %s: %s: another program holds run.db: %w", s.dir, what, err)
	case codeReadOnly, codeIO, codeCantOpen:
		return fmt.Errorf("run folder %s: %s: %w", s.dir, what, err)
	}
	return s.damaged(what, err.Error())
}

// code returns the primary result code of SQLite in err, or 0.
func code(err error) int {
	var known *sqlite.Error
	if errors.As(err, &known) {
		return known.Code() & 0xff
	}
	return 0
}
