package task

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Limits of a task file.
const (
	MaxTaskFile   = 1 << 20 // bytes
	MaxTasks      = 1_000
	MaxBudget     = 1 << 30 // evaluations of a run
	defaultBudget = 10_000
)

// Suite is a set of tasks with a split.
type Suite struct {
	Tasks  []*Task
	Budget int // evaluations of a run of a task that names no other
}

//go:embed embedded
var embedded embed.FS

// kinds are the kinds of task; each has its fields in the schema under the same name.
var kinds = map[string]func() spec{
	"tabular":   func() spec { return new(tabularSpec) },
	"sequence":  func() spec { return new(sequenceSpec) },
	"control":   func() spec { return new(controlSpec) },
	"function":  func() spec { return new(functionSpec) },
	"exec":      func() spec { return new(execSpec) },
	"generated": func() spec { return new(generatedSpec) },
}

// commonSpec holds the fields that every kind has.
type commonSpec struct {
	Name        string       `yaml:"name"`
	Kind        string       `yaml:"kind"`
	Split       string       `yaml:"split"` // training (default), validation, test
	Description string       `yaml:"description"`
	Budget      int          `yaml:"budget"`
	Anchors     *anchorSpec  `yaml:"anchors"`
	Network     *NetworkSpec `yaml:"network"`
}

// anchorSpec holds a task's reference values with what measured them.
type anchorSpec struct {
	F0      float64 `yaml:"f0"`
	F1      float64 `yaml:"f1"`
	Budget  int     `yaml:"budget,omitempty"` // they hold for; default: the task's
	Command string  `yaml:"command,omitempty"`
}

// Load reads the tasks of a YAML file. Data files are relative to its folder. The caller closes
// the tasks.
//
// It returns [rsie.ErrInvalid] with file, line, field and allowed range.
func Load(path string, o Options) (*Suite, error) {
	text, err := readLimited(path, MaxTaskFile)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	c := loading{options: o, dir: dir, open: func(name string) (io.ReadCloser, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return openFile(name, MaxTableBytes)
	}}
	return parseSuite(text, path, c)
}

// Embedded returns a suite that is part of the program: standard, all tasks at 10,000
// evaluations, or quick, three of them at 2,000. Unknown names give [rsie.ErrNotFound].
func Embedded(name string) (*Suite, error) {
	path := "embedded/" + name + ".yaml"
	text, err := fs.ReadFile(embedded, path)
	if err != nil {
		return nil, fmt.Errorf("%w: suite %q; the embedded ones are quick and standard", rsie.ErrNotFound, name)
	}
	return parseSuite(text, path, loading{open: func(name string) (io.ReadCloser, error) {
		return embedded.Open("embedded/" + name)
	}})
}

// Select returns the tasks of the names in their order, all of them for none, or
// [rsie.ErrNotFound] with the names there are. Names of functions, see [Functions], need not
// be in the suite.
func (s *Suite) Select(names []string) ([]*Task, error) {
	if len(names) == 0 {
		return s.Tasks, nil
	}
	var out []*Task
	for _, name := range names {
		if IsFunction(name) {
			more, err := Functions(name)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
			continue
		}
		i := slices.IndexFunc(s.Tasks, func(t *Task) bool { return t.Name == name })
		if i < 0 {
			var all []string
			for _, t := range s.Tasks {
				all = append(all, t.Name)
			}
			return nil, fmt.Errorf("%w: task %q; the suite has %s", rsie.ErrNotFound, name, shortList(all))
		}
		out = append(out, s.Tasks[i])
	}
	seen := map[string]bool{}
	for _, t := range out {
		if seen[t.Name] {
			return nil, fmt.Errorf("%w: task %q is named twice", rsie.ErrInvalid, t.Name)
		}
		seen[t.Name] = true
	}
	return out, nil
}

// openFile opens a file that is not a folder and not larger than limit; its errors wrap nothing.
func openFile(path string, limit int64) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read %s: %v", path, cause(err))
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, want a file", path)
	case !info.Mode().IsRegular(): // opening a pipe would wait for its writer
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Size() > limit:
		return nil, fmt.Errorf("%s has %d bytes; allowed are %d", path, info.Size(), limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %v", path, cause(err))
	}
	return f, nil
}

// cause returns the reason of a failed call without the path, which the caller names.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// readLimited returns the content of a file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := openFile(path, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", rsie.ErrInvalid, err)
	}
	defer f.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: cannot read %s: %v", rsie.ErrInvalid, path, cause(err))
	}
	if n > limit {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", rsie.ErrInvalid, path, limit)
	}
	return b.Bytes(), nil
}

// parseSuite makes the tasks of a file's text.
func parseSuite(text []byte, path string, c loading) (*Suite, error) {
	doc, err := parseYAML(text, path)
	if err != nil {
		return nil, err
	}
	root := doc.Content[0]
	if err := validate("suite", root, path); err != nil {
		return nil, err
	}
	var head struct {
		Budget int         `yaml:"budget"`
		Tasks  []yaml.Node `yaml:"tasks"`
	}
	if err := root.Decode(&head); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, err)
	}
	s := &Suite{Budget: head.Budget}
	if s.Budget == 0 {
		s.Budget = defaultBudget
	}
	lines := map[string]int{}
	for i := range head.Tasks {
		t, err := parseTask(&head.Tasks[i], path, s.Budget, c)
		if err == nil && lines[t.Name] > 0 {
			t.Close()
			err = fmt.Errorf("%w: %s:%d: task %s stands at line %d as well", rsie.ErrInvalid, path,
				head.Tasks[i].Line, t.Name, lines[t.Name])
		}
		if err != nil {
			for _, t := range s.Tasks {
				t.Close()
			}
			return nil, err
		}
		lines[t.Name] = head.Tasks[i].Line
		s.Tasks = append(s.Tasks, t)
	}
	return s, nil
}

// parseTask makes one task of a file.
func parseTask(node *yaml.Node, path string, budget int, c loading) (*Task, error) {
	kind := field(node, "kind")
	if kind == nil || kinds[kind.Value] == nil {
		return nil, fmt.Errorf("%w: %s:%d: kind is missing or unknown; allowed are %s", rsie.ErrInvalid, path,
			node.Line, "tabular, sequence, control, function, exec, generated")
	}
	if err := validate(kind.Value, node, path); err != nil {
		return nil, err
	}
	var common commonSpec
	if err := node.Decode(&common); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, err)
	}
	c.where = fmt.Sprintf("%s:%d: task %s", path, node.Line, common.Name)
	c.network = common.Network
	t := &Task{Name: common.Name, Kind: common.Kind, Split: common.Split, Description: common.Description,
		Budget: common.Budget}
	if t.Split == "" {
		t.Split = "training"
	}
	if t.Budget == 0 {
		t.Budget = budget
	}
	if err := t.setAnchors(common.Anchors, &c); err != nil {
		return nil, err
	}
	s := kinds[common.Kind]()
	if err := node.Decode(s); err != nil {
		return nil, c.invalid("%v", err)
	}
	if err := s.build(t, &c); err != nil {
		return nil, err
	}
	return t, nil
}

// setAnchors takes the anchors of a file; those of another budget do not hold and count as not
// measured.
func (t *Task) setAnchors(a *anchorSpec, c *loading) error {
	switch {
	case a == nil:
		return nil
	case !(a.F0 > a.F1):
		return c.invalid("anchors: f0 %g must be above f1 %g: fitness is minimised, f0 is random search's",
			a.F0, a.F1)
	case a.Budget != 0 && a.Budget != t.Budget:
		c.warn("anchors were measured at %d evaluations, not at %d, and are not used; "+
			"measure them with rsie tasks anchors", a.Budget, t.Budget)
		return nil
	}
	t.Anchors = &rsie.Anchors{F0: a.F0, F1: a.F1}
	return nil
}
