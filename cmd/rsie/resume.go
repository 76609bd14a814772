package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
)

type resumeCmd struct {
	Dir     string `arg:"" help:"Folder of the run."`
	Workers int    `help:"CPU workers; 0 means one per core. The result does not depend on it." default:"0"`
	anchorFlags
	jsonFlag
}

// Run continues a run from its last whole generation.
func (c *resumeCmd) Run(e *env) error {
	if !exists(filepath.Join(c.Dir, "run.db")) {
		return fmt.Errorf("%w: %s holds no run: it has no run.db; rsie evolve --out DIR begins one",
			rsie.ErrInvalid, c.Dir)
	}
	st, err := store.Open(c.Dir)
	if err != nil {
		return err
	}
	defer st.Close()
	b, err := st.Config()
	if err != nil {
		return err
	}
	var cfg runConfig
	if err := json.Unmarshal(b, &cfg); err != nil {
		return fmt.Errorf("%w: %s: configuration: %v", rsie.ErrInvalid, c.Dir, err)
	}
	var log execLog
	defer log.close()
	log.keep(filepath.Join(c.Dir, execLogName))
	suite, err := loadSuite(cfg.Suite, e, c.Workers, &log)
	if err != nil {
		return err
	}
	defer closeTasks(suite.Tasks)
	tasks, err := selectTasks(suite, cfg.Tasks)
	if err != nil {
		return err
	}
	for i, t := range tasks {
		if i < len(cfg.Digests) && t.Digest() != cfg.Digests[i] {
			return fmt.Errorf("%w: task %s has changed since the run began (digest %s, was %s); "+
				"restore its files or start a new run", rsie.ErrInvalid, t.Name, t.Digest(), cfg.Digests[i])
		}
	}
	backend, err := backendFlags{Workers: c.Workers, Backend: cfg.Backend}.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	if err := c.fill(e, backend, tasks, cfg.BaseBudget); err != nil {
		return err
	}
	return evolve(e, c.Dir, cfg, tasks, backend, st, c.JSON)
}
