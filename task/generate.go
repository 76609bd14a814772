package task

import (
	"bytes"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Limits of generated tasks.
const (
	MaxSeed        = 1 << 53 // so that every program that reads JSON keeps it
	generatedCount = 20      // tasks of a family when a reference says nothing
)

// Generate returns count tasks of a family: those of seed, seed+2, seed+4 and so on, named
// generated/FAMILY/SEED. The step of two keeps to one side of the line that [Family] draws:
// even seeds teach, odd seeds judge. family is the name of an embedded family or the path of a
// family file. A task depends on the family's file and its seed alone; it has no anchors, which
// hold for a strategy's budget and are measured.
//
// It returns [rsie.ErrNotFound] for an unknown family and [rsie.ErrInvalid] for a bad file, a
// count outside 1..[MaxTasks] or a seed above [MaxSeed].
func Generate(family string, seed uint64, count int) (*Suite, error) {
	f, err := OpenFamily(family)
	if err != nil {
		return nil, err
	}
	return f.Generate(seed, count)
}

// Generate is [Generate] of a family that is open.
func (f *Family) Generate(seed uint64, count int) (*Suite, error) {
	if count < 1 || count > MaxTasks {
		return nil, fmt.Errorf("%w: family %s: count %d; allowed are 1 to %d", rsie.ErrInvalid, f.Name,
			count, MaxTasks)
	}
	if seed > MaxSeed-2*MaxTasks {
		return nil, fmt.Errorf("%w: family %s: seed %d; allowed are 0 to 2^53 - %d", rsie.ErrInvalid,
			f.Name, seed, 2*MaxTasks)
	}
	s := &Suite{}
	for k := range count {
		t, err := f.Task(seed + 2*uint64(k))
		if err != nil {
			return nil, err
		}
		s.Tasks = append(s.Tasks, t)
	}
	s.Budget = medianBudget(s.Tasks)
	return s, nil
}

// medianBudget is the budget of a suite whose tasks have different ones.
func medianBudget(tasks []*Task) int {
	var all []int
	for _, t := range tasks {
		all = append(all, t.Budget)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// IsGenerated reports whether a reference names generated tasks: generated/FAMILY/SEED for one,
// generated:FAMILY,FAMILY?seed=0&count=20 for a suite.
func IsGenerated(ref string) bool {
	return strings.HasPrefix(ref, "generated/") || strings.HasPrefix(ref, "generated:")
}

// Generated returns the tasks of a reference as [IsGenerated] has them. A suite takes count
// tasks (default 20) of every family from seed (default 0) on, as [Generate] does; a family is
// an embedded name or the path of a file.
//
// It returns [rsie.ErrInvalid] for a text of another form and the errors of [Generate].
func Generated(ref string) (*Suite, error) {
	if rest, ok := strings.CutPrefix(ref, "generated/"); ok {
		at := strings.LastIndex(rest, "/")
		seed, err := strconv.ParseUint(rest[at+1:], 10, 64)
		if at < 1 || err != nil {
			return nil, fmt.Errorf("%w: task %q; want generated/FAMILY/SEED with a whole number as seed",
				rsie.ErrInvalid, ref)
		}
		return Generate(rest[:at], seed, 1)
	}
	families, seed, count, err := parseGenerated(ref)
	if err != nil {
		return nil, err
	}
	out := &Suite{}
	for _, name := range families {
		s, err := Generate(name, seed, count)
		if err != nil {
			return nil, err
		}
		out.Tasks = append(out.Tasks, s.Tasks...)
	}
	seen := map[string]bool{}
	for _, t := range out.Tasks {
		if seen[t.Name] {
			return nil, fmt.Errorf("%w: %q holds task %s twice; name each family once", rsie.ErrInvalid,
				ref, t.Name)
		}
		seen[t.Name] = true
	}
	out.Budget = medianBudget(out.Tasks)
	return out, nil
}

// parseGenerated reads generated:FAMILY,FAMILY?seed=N&count=N.
func parseGenerated(ref string) (families []string, seed uint64, count int, err error) {
	const form = "generated:FAMILY,FAMILY?seed=0&count=20"
	names, query, _ := strings.Cut(strings.TrimPrefix(ref, "generated:"), "?")
	families, count = strings.Split(names, ","), generatedCount
	values, err := url.ParseQuery(query)
	if err != nil || slices.Contains(families, "") {
		return nil, 0, 0, fmt.Errorf("%w: suite %q; want %s", rsie.ErrInvalid, ref, form)
	}
	for name, value := range values {
		switch {
		case len(value) != 1:
			err = fmt.Errorf("stands twice")
		case name == "seed":
			seed, err = strconv.ParseUint(value[0], 10, 64)
		case name == "count":
			count, err = strconv.Atoi(value[0])
		default:
			err = fmt.Errorf("unknown")
		}
		if err != nil {
			return nil, 0, 0, fmt.Errorf("%w: suite %q: %s: want %s with whole numbers", rsie.ErrInvalid,
				ref, name, form)
		}
	}
	return families, seed, count, nil
}

// AbsoluteGenerated returns a reference whose family files have absolute paths, so that it means
// the same from another folder.
func AbsoluteGenerated(ref string) (string, error) {
	prefix := ref[:len("generated:")] // or generated/
	rest, query, found := strings.Cut(ref[len(prefix):], "?")
	families := strings.Split(rest, ",")
	for i, name := range families {
		if prefix != "generated:" || !isFamilyFile(name) {
			continue
		}
		path, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		families[i] = path
	}
	out := prefix + strings.Join(families, ",")
	if found {
		out += "?" + query
	}
	return out, nil
}

// WriteGenerated writes generated tasks as a task file: their families, seeds, budgets, splits,
// digests and, where they are measured, anchors with the command that measured them. A family
// of a file is named by its absolute path.
//
// It returns [rsie.ErrInvalid] when the file cannot be written.
func WriteGenerated(path string, s *Suite, command string) error {
	type entry struct {
		Name    string      `yaml:"name"`
		Kind    string      `yaml:"kind"`
		Split   string      `yaml:"split"`
		About   string      `yaml:"description"`
		Budget  int         `yaml:"budget"`
		Family  string      `yaml:"family"`
		Seed    uint64      `yaml:"seed"`
		Digest  string      `yaml:"digest"`
		Anchors *anchorSpec `yaml:"anchors,omitempty,flow"`
	}
	file := struct {
		Version int     `yaml:"version"`
		Budget  int     `yaml:"budget"`
		Tasks   []entry `yaml:"tasks"`
	}{Version: 1, Budget: s.Budget}
	for _, t := range s.Tasks {
		e := entry{t.Name, t.Kind, t.Split, t.Description, t.Budget, t.origin.family, t.origin.seed, t.digest, nil}
		if t.Anchors != nil {
			e.Anchors = &anchorSpec{t.Anchors.F0, t.Anchors.F1, t.Budget, command}
		}
		file.Tasks = append(file.Tasks, e)
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(file); err != nil {
		return fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, err)
	}
	return writeAtomically(path, out.Bytes())
}
