package meta

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
)

const (
	anchorCacheFormat  = "rsie-anchors"
	anchorCacheVersion = 1
	maxAnchorCache     = 64 << 20 // bytes of the file that are read
)

// AnchorCache keeps measured anchors in a file under the digest of all they depend on: task,
// budget, strategies, runs, key, back end and numeric contract. So it saves time and never
// changes a result. Use it from one goroutine; several processes may use the same file: it is
// replaced in one step, with what others have written since, and an entry lost to a race is
// measured again.
type AnchorCache struct {
	path     string
	contract string
	entries  map[string]AnchorReport
}

// anchorCacheFile is the form of the file.
type anchorCacheFile struct {
	Format  string                  `json:"format"`
	Version int                     `json:"version"`
	Entries map[string]AnchorReport `json:"entries"`
}

// NewAnchorCache returns the cache of a file; an empty path keeps it in memory alone. contract
// names the version of everything that decides a bit of a result besides the arguments. A file
// that is missing, damaged or of another version counts as empty.
func NewAnchorCache(path, contract string) *AnchorCache {
	return &AnchorCache{path: path, contract: contract, entries: map[string]AnchorReport{}}
}

// Measure returns what [AnchorMeter.Measure] does for the task, from the cache where it is known
// there; Evaluations is 0 then. The keys of the runs depend on the digest of the task and not on
// its name. An error to write the file is returned beside the valid report.
func (c *AnchorCache) Measure(ctx context.Context, m AnchorMeter, t *task.Task, key rsie.Key) (AnchorReport, error) {
	if m.Strategies == nil {
		m.Strategies = rsie.Starts()
	}
	address := c.address(m, t, key)
	if _, ok := c.entries[address]; !ok {
		c.read()
	}
	if known, ok := c.entries[address]; ok {
		known.Evaluations = 0
		return known, nil
	}
	out, err := m.Measure(ctx, t.Digest(), t.Problem, key)
	if err != nil {
		return out, fmt.Errorf("task %s: %w", t.Name, err)
	}
	c.entries[address] = out
	return out, c.write()
}

// address is the digest of all that a measurement depends on.
func (c *AnchorCache) address(m AnchorMeter, t *task.Task, key rsie.Key) string {
	info := m.Backend.Info()
	h := sha256.New()
	fmt.Fprintln(h, anchorCacheFormat, anchorCacheVersion, c.contract, info.Name, info.Bits, t.Digest(),
		m.Budget, m.Runs, key.Seed())
	for _, s := range m.Strategies {
		fmt.Fprintln(h, s.Digest(), s.GenomeID)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// read adds what the file holds and is sound.
func (c *AnchorCache) read() {
	if c.path == "" {
		return
	}
	f, err := os.Open(c.path)
	if err != nil {
		return
	}
	defer f.Close()
	var file anchorCacheFile
	if json.NewDecoder(io.LimitReader(f, maxAnchorCache)).Decode(&file) != nil ||
		file.Format != anchorCacheFormat || file.Version != anchorCacheVersion {
		return
	}
	maps.DeleteFunc(file.Entries, func(_ string, r AnchorReport) bool {
		return !(r.Anchors.F0 > r.Anchors.F1) || math.IsInf(r.Anchors.F0-r.Anchors.F1, 0)
	})
	maps.Copy(c.entries, file.Entries)
}

// write replaces the file by all that is known.
func (c *AnchorCache) write() error {
	if c.path == "" {
		return nil
	}
	c.read()
	var b bytes.Buffer
	err := json.NewEncoder(&b).Encode(anchorCacheFile{anchorCacheFormat, anchorCacheVersion, c.entries})
	if err != nil {
		return fmt.Errorf("anchor cache: %w", err)
	}
	dir := filepath.Dir(c.path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("anchor cache: %w", err)
	}
	f, err := os.CreateTemp(dir, ".anchors-*")
	if err != nil {
		return fmt.Errorf("anchor cache: %w", err)
	}
	_, err = f.Write(b.Bytes())
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), c.path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("anchor cache: %w", err)
	}
	return nil
}

// AnchorTasks measures the anchors of the tasks that have none, with [AnchorStrategies] and
// [AnchorRuns] keys, and sets them; the key is fixed, so that they belong to a task and not to a
// run. budget 0 means each task's own, another one becomes theirs. progress, if not nil, hears
// the number of tasks done; warn hears of a cache file that cannot be written.
func AnchorTasks(ctx context.Context, b rsie.Backend, tasks []*task.Task, budget int, cache *AnchorCache,
	progress func(done int), warn func(error)) error {
	m := AnchorMeter{Backend: b, Runs: AnchorRuns, Strategies: AnchorStrategies()}
	for k, t := range tasks {
		if t.Anchors == nil {
			if budget > 0 {
				t.Budget = budget
			}
			m.Budget = t.Budget
			got, err := cache.Measure(ctx, m, t, rsie.NewKey(1))
			switch {
			case err != nil && got.Evaluations == 0:
				return err
			case err != nil && warn != nil:
				warn(err)
			}
			t.Anchors = &rsie.Anchors{F0: got.Anchors.F0, F1: got.Anchors.F1}
		}
		if progress != nil {
			progress(k + 1)
		}
	}
	return nil
}
