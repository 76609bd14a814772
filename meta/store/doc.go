// Package store keeps a run of level 2 on disk: one folder with one truth, run.db.
//
// run.db is an SQLite database in WAL mode with synchronous=FULL. A generation is written in
// one transaction, so that a process killed at any moment loses at most the generation in
// flight. One process writes a run at a time, held by a lock on run.lock; any number of
// processes read it meanwhile, and a reader never makes the writer wait.
//
// # Tables
//
// head has one row with the number of generations, strategies, results and documents.
// documents holds the configuration, the final document and what [Store.Put] keeps.
// generations, strategies and results are only added to. states holds what a resume needs and
// only of the last two generations. Seeds are unsigned: read a negative one as seed + 2^64.
// NaN is stored as NULL and negative zero as zero.
//
// # Damage
//
// Every row carries the CRC-32C of its values, verified whenever it is read; the whole file is
// checked by SQLite when it is opened; rows are numbered without gaps and counted in head. A
// flipped bit or a lost page of run.db is therefore an error that names the folder, or makes no
// difference. A damaged tail of run.db-wal, which exists only after a kill, is dropped by SQLite
// whole transactions at a time: the run continues from an earlier generation.
//
// # Errors
//
// A folder that is missing, damaged, in use or made by a newer version is [rsie.ErrInvalid].
// A full disk or a failing device is reported with the folder and what to do, and the
// transaction in flight is undone.
package store

// Generation is one generation of level 2 as it is stored.
type Generation struct {
	Number      int       // from 0, without gaps
	Evaluations int64     // level-1 evaluations up to and including this generation
	State       []float64 // what a resume continues from; kept for the last two generations
	Digest      string    // of the run up to here
	Summary     []byte    // a JSON document
	// Strategies are those that the generation met; one with a known digest is not stored again.
	Strategies []Strategy
	Results    []Result
}

// Strategy is a strategy that the run has met.
type Strategy struct {
	Digest     string
	Genes      []byte   // a JSON document
	Parents    []string // digests
	Generation int      // that met it first
}

// Result is one level-1 run.
type Result struct {
	Strategy    string // digest
	Task        string
	Replicate   int
	Seed        uint64
	Phase       string // such as search
	Evaluations int64
	Final       float64 // best fitness at the end, minimised
	Area        float64 // under the curve of quality
	MetaFitness float64
	Metrics     []byte // a JSON document
}
