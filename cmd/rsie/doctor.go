package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

type doctorCmd struct {
	backendFlags
	jsonFlag
}

// check is one line of the doctor.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warn
	Value  string `json:"value"`
	Advice string `json:"advice,omitempty"` // what to do about a warning
}

// doctorResult is the object that --json prints.
type doctorResult struct {
	OK                   bool    `json:"ok"` // no check warns
	EvaluationsPerSecond float64 `json:"evaluations_per_second"`
	Checks               []check `json:"checks"`
}

// Run checks the machine and the program.
func (c *doctorCmd) Run(e *env) error {
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	v := buildVersion()
	info := backend.Info()
	out := doctorResult{OK: true, Checks: []check{
		{Name: "program", Status: "ok", Value: fmt.Sprintf("rsie %s, %s", v.Version, v.Go)},
		{Name: "system", Status: "ok", Value: v.Platform},
		{Name: "cores", Status: "ok", Value: strconv.Itoa(runtime.NumCPU())},
		memoryCheck("/proc/meminfo"),
		{Name: "backend " + info.Name, Status: "ok",
			Value: fmt.Sprintf("present, %d-bit floats; numeric contract %s", info.Bits, numericContract)},
		nativeCheck(),
		cudaCheck(),
		diskCheck(os.TempDir()),
	}}
	speed, err := probeSpeed(e, backend)
	if err != nil {
		return err
	}
	out.EvaluationsPerSecond = speed.perSecond
	out.Checks = append(out.Checks, speed.check())
	for _, k := range out.Checks {
		out.OK = out.OK && k.Status == "ok"
	}
	if c.JSON {
		return printJSON(e.stdout, out)
	}
	for _, k := range out.Checks {
		fmt.Fprintf(e.stdout, "%-4s  %-16s %s\n", k.Status, k.Name, k.Value)
		if k.Advice != "" {
			fmt.Fprintf(e.stdout, "      %-16s %s\n", "", k.Advice)
		}
	}
	return nil
}

// lowMemory is the free memory, in bytes, below which the doctor warns: a batch alone may take
// [meta.MaxChunkBytes].
const lowMemory = 2 * meta.MaxChunkBytes

// memoryCheck reads the memory of a Linux machine.
func memoryCheck(path string) check {
	out := check{Name: "memory", Status: "ok", Value: "not known on this system"}
	text, err := os.ReadFile(path)
	if err != nil {
		return out
	}
	bytes := map[string]float64{}
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) >= 2 {
			if kib, err := strconv.ParseFloat(f[1], 64); err == nil {
				bytes[f[0]] = kib * 1024
			}
		}
	}
	free := bytes["MemAvailable:"]
	out.Value = fmt.Sprintf("%.1f GiB, %.1f GiB free", bytes["MemTotal:"]/(1<<30), free/(1<<30))
	if free < lowMemory {
		out.Status = "warn"
		out.Advice = fmt.Sprintf("under %d GiB free: keep populations and networks small", lowMemory>>30)
	}
	return out
}

// diskCheck writes and reads back a file of 1 MiB.
func diskCheck(dir string) check {
	out := check{Name: "disk", Status: "ok", Value: "1 MiB written to " + dir + " and removed"}
	f, err := os.CreateTemp(dir, "rsie-doctor-*")
	if err == nil {
		defer os.Remove(f.Name())
		_, err = f.Write(make([]byte, 1<<20))
		if err == nil {
			err = f.Sync()
		}
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		out.Status, out.Value = "warn", "cannot write to "+dir+": "+err.Error()
		out.Advice = "free space there, or set TMPDIR to a folder that can be written"
	}
	return out
}

// speed is what the probe counted.
type speed struct {
	task      string
	perSecond float64
}

// slowSpeed is the speed, in evaluations per second, below which the quick suite takes minutes.
const slowSpeed = 5000

func (s speed) check() check {
	out := check{Name: "speed", Status: "ok",
		Value: fmt.Sprintf("%.0f evaluations/s on task %s", s.perSecond, s.task)}
	if s.perSecond < slowSpeed {
		out.Status = "warn"
		out.Advice = "the machine is slow or busy: end other programs, or lower --base-budget"
	}
	return out
}

// probeSpeed runs the default strategies on the first task of the quick suite for a second.
func probeSpeed(e *env, backend rsie.Backend) (speed, error) {
	suite, err := task.Embedded("quick")
	if err != nil {
		return speed{}, err
	}
	defer closeTasks(suite.Tasks)
	t := suite.Tasks[0]
	var specs []meta.RunSpec
	for r := range 16 {
		s, err := rsie.Baseline([]string{"snes", "openai-es"}[r%2])
		if err != nil {
			return speed{}, err
		}
		specs = append(specs, meta.RunSpec{Strategy: s, Key: rsie.NewKey(1).Child(uint64(r)), Budget: 1 << 30})
	}
	batch, err := meta.NewBatch(backend, t.Problem, specs)
	if err != nil {
		return speed{}, err
	}
	defer batch.Close()
	began := time.Now()
	for time.Since(began) < time.Second {
		if err := batch.Step(e.ctx); err != nil {
			return speed{}, err
		}
	}
	done := 0
	for r, s := range specs {
		done += batch.Generation(r) * s.Strategy.PopulationSize
	}
	return speed{t.Name, float64(done) / time.Since(began).Seconds()}, nil
}
