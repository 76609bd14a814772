package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// Config returns the configuration that the run was created with.
func (s *Store) Config() ([]byte, error) {
	b, err := s.Get(configName)
	if err == nil && b == nil {
		err = s.damaged("configuration", "it is missing")
	}
	return b, err
}

// Get returns the value that was put under name, nil when there is none.
func (s *Store) Get(name string) (value []byte, err error) {
	err = s.view("document "+name, func(tx *sql.Tx, _ head) error {
		var crc int64
		err := tx.QueryRow("SELECT value, crc FROM documents WHERE name = ?", name).Scan(&value, &crc)
		if err == sql.ErrNoRows {
			return nil
		}
		if err == nil && crc != documentSum(nil, name, value) {
			return s.mismatch("document " + name)
		}
		value = filled(value)
		return err
	})
	return value, err
}

// Finished returns the final document and whether the run has one.
func (s *Store) Finished() (doc []byte, ok bool, err error) {
	doc, err = s.Get(resultName)
	return doc, doc != nil, err
}

// checkDocuments reads every document once, so that later none can be missing unnoticed.
func (s *Store) checkDocuments() error {
	return s.view("documents", func(tx *sql.Tx, h head) error {
		rows, err := tx.Query("SELECT name, value, crc FROM documents")
		if err != nil {
			return err
		}
		defer rows.Close()
		count := int64(0)
		for rows.Next() {
			var name string
			var value sql.RawBytes
			var crc int64
			if err := rows.Scan(&name, &value, &crc); err != nil {
				return s.damaged("documents", err.Error())
			}
			if crc != documentSum(nil, name, value) {
				return s.mismatch("document " + name)
			}
			count++
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return s.complete("documents", count, h.documents)
	})
}

// Last returns the last generation with its state, without its strategies and results; nil
// when there is none.
func (s *Store) Last() (*Generation, error) {
	var last *Generation
	err := s.view("last generation", func(tx *sql.Tx, h head) error {
		if h.generations == 0 {
			return nil
		}
		g, err := s.generation(tx.QueryRow(generationQuery+" WHERE number = ?", h.generations-1), h)
		if err != nil {
			return err
		}
		var length, crc int64
		var data []byte
		what := fmt.Sprintf("state of generation %d", g.Number)
		err = tx.QueryRow("SELECT length, data, crc FROM states WHERE generation = ?", g.Number).
			Scan(&length, &data, &crc)
		if err != nil {
			return s.broken(what, err)
		}
		if crc != stateSum(nil, int64(g.Number), length, data) {
			return s.mismatch(what)
		}
		if g.State, err = unpack(data, length); err != nil {
			return s.damaged(what, err.Error())
		}
		last = &g
		return nil
	})
	return last, err
}

const generationQuery = `SELECT number, evaluations, digest, summary, strategies, results, crc
	FROM generations`

// generation reads and verifies a row of generationQuery.
func (s *Store) generation(from interface{ Scan(...any) error }, h head) (Generation, error) {
	var g Generation
	var strategies, results, crc int64
	err := from.Scan(&g.Number, &g.Evaluations, &g.Digest, &g.Summary, &strategies, &results, &crc)
	if err != nil {
		return g, s.broken("list of generations", err)
	}
	what := fmt.Sprintf("generation %d", g.Number)
	if crc != generationSum(nil, &g, strategies, results) {
		return g, s.mismatch(what)
	}
	if int64(g.Number) == h.generations-1 && (strategies != h.strategies || results != h.results) {
		return g, s.damaged(what, "its counts differ from those of the run")
	}
	return g, nil
}

// Generations calls each with every generation in order, without state, strategies and
// results, and stops at the first error, which it returns.
func (s *Store) Generations(each func(Generation) error) error {
	return s.scan("list of generations", generationQuery+" ORDER BY number",
		func(rows *sql.Rows, seq int64, h head) error {
			g, err := s.generation(rows, h)
			if err != nil {
				return err
			}
			if int64(g.Number) != seq-1 {
				return s.damaged("list of generations", fmt.Sprintf("generation %d is missing", seq-1))
			}
			return callback(each(g))
		}, func(h head) int64 { return h.generations })
}

// Strategies returns every strategy in the order they were met.
func (s *Store) Strategies() ([]Strategy, error) {
	var out []Strategy
	err := s.scan("list of strategies",
		"SELECT seq, digest, genes, parents, generation, crc FROM strategies ORDER BY seq",
		func(rows *sql.Rows, seq int64, _ head) error {
			var v Strategy
			var at, crc int64
			var parents string
			if err := rows.Scan(&at, &v.Digest, &v.Genes, &parents, &v.Generation, &crc); err != nil {
				return s.broken("list of strategies", err)
			}
			what := fmt.Sprintf("strategy %d of generation %d", seq, v.Generation)
			if at != seq || crc != strategySum(nil, at, &v, parents) {
				return s.mismatch(what)
			}
			if err := json.Unmarshal([]byte(parents), &v.Parents); err != nil {
				return s.damaged(what, err.Error())
			}
			out = append(out, v)
			return nil
		}, func(h head) int64 { return h.strategies })
	return out, err
}

// Results calls each with every result in the order they were stored and stops at the first
// error, which it returns. It reads one state of the run, whatever is committed meanwhile.
func (s *Store) Results(each func(Result) error) error {
	return s.ResultsByGeneration(func(_ int, r Result) error { return each(r) })
}

// ResultsByGeneration is [Store.Results] with the generation that each result belongs to.
func (s *Store) ResultsByGeneration(each func(generation int, r Result) error) error {
	buffer := make(row, 0, 1024)
	return s.scan("list of results", `SELECT seq, generation, strategy, task, replicate, seed, phase,
		evaluations, final, area, meta_fitness, metrics, crc FROM results ORDER BY seq`,
		func(rows *sql.Rows, seq int64, _ head) error {
			var v Result
			var at, generation, seed, crc int64
			var final, area, fitness sql.NullFloat64
			err := rows.Scan(&at, &generation, &v.Strategy, &v.Task, &v.Replicate, &seed, &v.Phase,
				&v.Evaluations, &final, &area, &fitness, &v.Metrics, &crc)
			if err != nil {
				return s.broken("list of results", err)
			}
			v.Seed = uint64(seed)
			v.Final, v.Area = fromColumn(final), fromColumn(area)
			v.MetaFitness = fromColumn(fitness)
			if at != seq || crc != resultSum(buffer, at, generation, &v) {
				return s.mismatch(fmt.Sprintf("result %d of generation %d", seq, generation))
			}
			return callback(each(int(generation), v))
		}, func(h head) int64 { return h.results })
}

// callbackError keeps an error of the caller's function from being explained as one of the
// database.
type callbackError struct{ error }

func callback(err error) error {
	if err == nil {
		return nil
	}
	return callbackError{err}
}

// scan calls each for every row of a query, seq counting from 1, and compares the number of
// rows with the head.
func (s *Store) scan(what, query string, each func(*sql.Rows, int64, head) error,
	want func(head) int64) error {
	return s.view(what, func(tx *sql.Tx, h head) error {
		rows, err := tx.Query(query)
		if err != nil {
			return err
		}
		defer rows.Close()
		count := int64(0)
		for rows.Next() {
			count++
			if err := each(rows, count, h); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return s.complete(what, count, want(h))
	})
}

// head reads and verifies the counts of the run.
func (s *Store) head(tx *sql.Tx) (head, error) {
	var h head
	var crc int64
	err := tx.QueryRow("SELECT generations, strategies, results, documents, crc FROM head WHERE id = 1").
		Scan(&h.generations, &h.strategies, &h.results, &h.documents, &crc)
	if err != nil {
		return h, s.broken("head", err)
	}
	if crc != h.sum() {
		return h, s.mismatch("head")
	}
	return h, nil
}

// view runs read on one state of the run.
func (s *Store) view(what string, read func(*sql.Tx, head) error) error {
	tx, err := s.reader.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.fault(what, err)
	}
	defer tx.Rollback() // nothing was written
	h, err := s.head(tx)
	if err == nil {
		err = read(tx, h)
	}
	if own, ok := err.(callbackError); ok {
		return own.error
	}
	return s.fault(what, err)
}

// broken is the error of a row that cannot be read: a value of another type is damage.
func (s *Store) broken(what string, err error) error {
	if code(err) != 0 {
		return err // view and update explain it
	}
	return s.damaged(what, err.Error())
}

func (s *Store) mismatch(what string) error { return s.damaged(what, "its checksum does not match") }

func (s *Store) complete(what string, got, want int64) error {
	if got != want {
		return s.damaged(what, fmt.Sprintf("%d rows, want %d", got, want))
	}
	return nil
}
