package store

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// applicationID marks a database as a run; it reads RSIE.
const applicationID = 0x52534945

// step takes a database from one version to the next. A step that changes a table rewrites the
// checksums of its rows.
type step func(*sql.Tx) error

// steps lead to the version of this program, which is their number. A step that has been
// released is never edited.
func steps() []step { return []step{version1} }

func version1(tx *sql.Tx) error {
	for _, statement := range []string{
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		`CREATE TABLE head (id INTEGER PRIMARY KEY, generations INTEGER NOT NULL,
			strategies INTEGER NOT NULL, results INTEGER NOT NULL, documents INTEGER NOT NULL,
			crc INTEGER NOT NULL)`,
		`CREATE TABLE documents (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
			value BLOB NOT NULL, crc INTEGER NOT NULL)`,
		`CREATE TABLE generations (number INTEGER PRIMARY KEY, evaluations INTEGER NOT NULL,
			digest TEXT NOT NULL, summary BLOB NOT NULL, strategies INTEGER NOT NULL,
			results INTEGER NOT NULL, crc INTEGER NOT NULL)`,
		`CREATE TABLE states (generation INTEGER PRIMARY KEY, length INTEGER NOT NULL,
			data BLOB NOT NULL, crc INTEGER NOT NULL)`,
		`CREATE TABLE strategies (seq INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE,
			genes BLOB NOT NULL, parents TEXT NOT NULL, generation INTEGER NOT NULL,
			crc INTEGER NOT NULL)`,
		`CREATE TABLE results (seq INTEGER PRIMARY KEY, generation INTEGER NOT NULL,
			strategy TEXT NOT NULL, task TEXT NOT NULL, replicate INTEGER NOT NULL,
			seed INTEGER NOT NULL, phase TEXT NOT NULL, evaluations INTEGER NOT NULL,
			final REAL, area REAL, meta_fitness REAL, metrics BLOB NOT NULL, crc INTEGER NOT NULL)`,
	} {
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	return writeHead(tx, head{})
}

// migrate applies the steps that the database lacks, each in a transaction. A database that has
// a version is copied to run.db.vN first.
func migrate(db *sql.DB, path string, to []step) error {
	version, err := pragma(db, "user_version")
	if err != nil {
		return err
	}
	if version > 0 && version < len(to) {
		if err := backup(db, fmt.Sprintf("%s.v%d", path, version)); err != nil {
			return fmt.Errorf("copy before the migration from version %d: %w", version, err)
		}
	}
	for ; version < len(to); version++ {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		err = to[version](tx)
		if err == nil {
			_, err = tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", version+1))
		}
		if err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("migration from version %d: %w", version, err)
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// backup writes a copy whose name appears only when it is whole.
func backup(db *sql.DB, path string) error {
	part := path + ".part"
	if err := os.Remove(part); err != nil && !os.IsNotExist(err) {
		return err
	}
	if _, err := db.Exec("VACUUM INTO ?", part); err != nil {
		return err
	}
	if err := syncFile(part); err != nil {
		return err
	}
	return os.Rename(part, path)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func pragma(db *sql.DB, name string) (int, error) {
	var v int
	err := db.QueryRow("PRAGMA " + name).Scan(&v)
	return v, err
}

// check returns an error unless db is a run of a version up to that of the steps and intact. The
// schema comes first: a database is a file that someone gave, and no statement of a foreign
// schema may run.
func (s *Store) check(db *sql.DB, all []step) error {
	id, err := pragma(db, "application_id")
	if err != nil {
		return s.fault("header", err)
	}
	version, err := pragma(db, "user_version")
	if err != nil {
		return s.fault("header", err)
	}
	if id != applicationID || version < 1 {
		return fmt.Errorf("%w: %s is no database of a run", rsie.ErrInvalid, s.path())
	}
	if version > len(all) {
		return fmt.Errorf("%w: %s was written by a newer rsie: its format is version %d, this "+
			"program knows up to %d; update rsie", rsie.ErrInvalid, s.path(), version, len(all))
	}
	if err := s.checkSchema(db, all[:version]); err != nil {
		return err
	}
	// A reader asks often and can do without the comparison of index and table.
	pass := "integrity_check(1)"
	if s.writer == nil {
		pass = "quick_check(1)"
	}
	var verdict string
	if err := db.QueryRow("PRAGMA " + pass).Scan(&verdict); err != nil {
		return s.fault("database", err)
	}
	if verdict != "ok" {
		return s.damaged("database", verdict)
	}
	return nil
}

// checkSchema compares the schema with that which the steps make.
func (s *Store) checkSchema(db *sql.DB, made []step) error {
	plain, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer plain.Close()
	plain.SetMaxOpenConns(1)
	if err := migrate(plain, "", made); err != nil {
		return err
	}
	want, err := schema(plain)
	if err != nil {
		return err
	}
	got, err := schema(db)
	if err != nil {
		return s.fault("schema", err)
	}
	if got != want {
		return s.damaged("schema", "it differs from that of its version")
	}
	return nil
}

func schema(db *sql.DB) (string, error) {
	rows, err := db.Query(`SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema
		ORDER BY type, name`)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var kind, name, table, text string
		if err := rows.Scan(&kind, &name, &table, &text); err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "%q %q %q %q\n", kind, name, table, text)
	}
	return out.String(), rows.Err()
}
