package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// statements are the prepared statements of a commit.
type statements struct{ generation, state, prune, strategy, result *sql.Stmt }

func (p *statements) prepare(db *sql.DB) error {
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&p.generation, "INSERT INTO generations VALUES (?, ?, ?, ?, ?, ?, ?)"},
		{&p.state, "INSERT INTO states VALUES (?, ?, ?, ?)"},
		{&p.prune, "DELETE FROM states WHERE generation <= ?"},
		{&p.strategy, "INSERT INTO strategies VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(digest) DO NOTHING"},
		{&p.result, "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
	} {
		var err error
		if *s.to, err = db.Prepare(s.text); err != nil {
			return err
		}
	}
	return nil
}

func (p *statements) close() {
	for _, s := range []*sql.Stmt{p.generation, p.state, p.prune, p.strategy, p.result} {
		if s != nil {
			s.Close()
		}
	}
}

// keptStates is how many generations keep their state.
const keptStates = 2

// Commit stores a generation with its strategies and results in one transaction: after an error
// or a kill all of it is stored or none. Generations come in order from 0, and a finished run
// takes none: [rsie.ErrInvalid]. When Commit returns nil the generation is on the disk.
func (s *Store) Commit(g *Generation) error {
	data, err := pack(g.State)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("generation %d", g.Number)
	return s.update(what, func(tx *sql.Tx, h *head) error {
		if int64(g.Number) != h.generations {
			return fmt.Errorf("%w: run folder %s: generation %d is out of order, the next is %d",
				rsie.ErrInvalid, s.dir, g.Number, h.generations)
		}
		var finished int
		err := tx.QueryRow("SELECT count(*) FROM documents WHERE name = ?", resultName).Scan(&finished)
		if err != nil {
			return err
		}
		if finished > 0 {
			return fmt.Errorf("%w: run folder %s: the run is finished and takes no more generations",
				rsie.ErrInvalid, s.dir)
		}
		if err := s.insertRows(tx, g, h); err != nil {
			return err
		}
		h.generations++
		buffer := make(row, 0, 256)
		_, err = tx.Stmt(s.insert.generation).Exec(g.Number, g.Evaluations, g.Digest, filled(g.Summary),
			h.strategies, h.results, generationSum(buffer, g, h.strategies, h.results))
		if err != nil {
			return err
		}
		length := int64(len(g.State))
		_, err = tx.Stmt(s.insert.state).Exec(g.Number, length, filled(data),
			stateSum(buffer, int64(g.Number), length, data))
		if err != nil {
			return err
		}
		_, err = tx.Stmt(s.insert.prune).Exec(g.Number - keptStates)
		return err
	})
}

// insertRows adds the strategies that are new and all results, numbered from 1 without gaps.
func (s *Store) insertRows(tx *sql.Tx, g *Generation, h *head) error {
	buffer := make(row, 0, 1024)
	insert := tx.Stmt(s.insert.strategy)
	for i := range g.Strategies {
		v := &g.Strategies[i]
		parents, err := json.Marshal(append([]string{}, v.Parents...))
		if err != nil {
			return err
		}
		seq := h.strategies + 1
		done, err := insert.Exec(seq, v.Digest, filled(v.Genes), string(parents), v.Generation,
			strategySum(buffer, seq, v, string(parents)))
		if err != nil {
			return err
		}
		added, err := done.RowsAffected()
		if err != nil {
			return err
		}
		h.strategies += added
	}
	insert = tx.Stmt(s.insert.result)
	for i := range g.Results {
		v := &g.Results[i]
		h.results++
		_, err := insert.Exec(h.results, g.Number, v.Strategy, v.Task, v.Replicate, int64(v.Seed),
			v.Phase, v.Evaluations, column(v.Final), column(v.Area), column(v.MetaFitness),
			filled(v.Metrics), resultSum(buffer, h.results, int64(g.Number), v))
		if err != nil {
			return err
		}
	}
	return nil
}

// Put keeps a named value, replacing one of the same name. Names are not empty and do not
// begin with an underscore.
func (s *Store) Put(name string, value []byte) error {
	if name == "" || strings.HasPrefix(name, "_") {
		return fmt.Errorf("%w: document name %q, want one that does not begin with an underscore",
			rsie.ErrInvalid, name)
	}
	return s.put(name, value)
}

// Finish marks the run as finished with its final document. Finishing again replaces it.
func (s *Store) Finish(doc []byte) error { return s.put(resultName, doc) }

func (s *Store) put(name string, value []byte) error {
	return s.update("document "+name, func(tx *sql.Tx, h *head) error {
		return s.putRow(tx, name, value, h)
	})
}

func (s *Store) putRow(tx *sql.Tx, name string, value []byte, h *head) error {
	var present int64
	err := tx.QueryRow("SELECT count(*) FROM documents WHERE name = ?", name).Scan(&present)
	if err != nil {
		return err
	}
	h.documents += 1 - present
	_, err = tx.Exec(`INSERT INTO documents (name, value, crc) VALUES (?, ?, ?)
		ON CONFLICT(name) DO UPDATE SET value = excluded.value, crc = excluded.crc`,
		name, filled(value), documentSum(nil, name, value))
	return err
}

// putDocument is put in the transaction that makes a run.
func (s *Store) putDocument(tx *sql.Tx, name string, value []byte) error {
	h, err := s.head(tx)
	if err != nil {
		return err
	}
	if err := s.putRow(tx, name, value, &h); err != nil {
		return err
	}
	return writeHead(tx, h)
}

// update runs change in a transaction and stores the head that it leaves.
func (s *Store) update(what string, change func(*sql.Tx, *head) error) error {
	if s.writer == nil {
		return fmt.Errorf("%w: run folder %s is open for reading only", rsie.ErrInvalid, s.dir)
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	tx, err := s.writer.Begin()
	if err != nil {
		return s.fault(what, err)
	}
	h, err := s.head(tx)
	if err == nil {
		err = change(tx, &h)
	}
	if err == nil {
		err = writeHead(tx, h)
	}
	if err != nil {
		_ = tx.Rollback() // the first error is the one to tell
		return s.fault(what, err)
	}
	return s.fault(what, tx.Commit())
}
