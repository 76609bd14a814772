package store

import (
	"bytes"
	"compress/flate"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// row collects the values of a row for its checksum. Texts carry their length, so that no two
// different rows give the same bytes.
type row []byte

func (r row) number(v int64) row { return binary.LittleEndian.AppendUint64(r, uint64(v)) }

func (r row) float(v float64) row { return r.number(int64(math.Float64bits(plain(v)))) }

func (r row) text(v string) row { return append(r.number(int64(len(v))), v...) }

func (r row) blob(v []byte) row { return append(r.number(int64(len(v))), v...) }

func (r row) sum() int64 { return int64(crc32.Checksum(r, castagnoli)) }

// plain maps a float to the one that SQLite returns: it has no negative zero and one NaN.
func plain(v float64) float64 {
	if v == 0 {
		return 0
	}
	if math.IsNaN(v) {
		return math.NaN()
	}
	return v
}

// column is v as SQLite keeps it, NaN being NULL.
func column(v float64) sql.NullFloat64 {
	return sql.NullFloat64{Float64: plain(v), Valid: !math.IsNaN(v)}
}

func fromColumn(v sql.NullFloat64) float64 {
	if !v.Valid {
		return math.NaN()
	}
	return v.Float64
}

// filled is b as a column that is never NULL.
func filled(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func generationSum(r row, g *Generation, strategies, results int64) int64 {
	return r[:0].number(int64(g.Number)).number(g.Evaluations).text(g.Digest).blob(g.Summary).
		number(strategies).number(results).sum()
}

func stateSum(r row, generation, length int64, data []byte) int64 {
	return r[:0].number(generation).number(length).blob(data).sum()
}

func strategySum(r row, seq int64, s *Strategy, parents string) int64 {
	return r[:0].number(seq).text(s.Digest).blob(s.Genes).text(parents).
		number(int64(s.Generation)).sum()
}

func resultSum(r row, seq, generation int64, v *Result) int64 {
	return r[:0].number(seq).number(generation).text(v.Strategy).text(v.Task).
		number(int64(v.Replicate)).number(int64(v.Seed)).text(v.Phase).number(v.Evaluations).
		float(v.Final).float(v.Area).float(v.MetaFitness).blob(v.Metrics).sum()
}

func documentSum(r row, name string, value []byte) int64 {
	return r[:0].text(name).blob(value).sum()
}

// head counts the rows of the other tables.
type head struct{ generations, strategies, results, documents int64 }

func (h head) sum() int64 {
	return row(nil).number(h.generations).number(h.strategies).number(h.results).
		number(h.documents).sum()
}

func writeHead(tx *sql.Tx, h head) error {
	_, err := tx.Exec(`INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?)`,
		h.generations, h.strategies, h.results, h.documents, h.sum())
	return err
}

// pack compresses values as little-endian float64 with flate.
func pack(values []float64) ([]byte, error) {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpack is the inverse of pack; it reads no more than length values.
func unpack(data []byte, length int64) ([]float64, error) {
	if length < 0 || length > math.MaxInt64/16 {
		return nil, fmt.Errorf("length %d", length)
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), 8*length+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != 8*length {
		return nil, fmt.Errorf("%d bytes, want %d", len(raw), 8*length)
	}
	values := make([]float64, length)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return values, nil
}
