package task

import (
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

//go:embed families/*.yaml
var familyFiles embed.FS

// Family is a source of tasks: a file of ranges, from which a seed draws one task. The form of a
// family file:
//
//	version: 1
//	family: mine                  # its name
//	description: What it is for.
//	split: parity                 # default; or training, validation, test
//	tasks:                        # task k of the even (or odd) seeds takes entry k mod their number
//	  - generator: teacher        # see the schema for the generators and their fields
//	    inputs: [2, 10]           # a range, or one number; one without a range has its default
//	    budget: [2000, 10000]     # evaluations of a run
//
// # Learning and judging
//
// With split parity, tasks of even seeds have split training and tasks of odd seeds have split
// validation: a strategy learns on even seeds, and what is chosen or claimed is measured on odd
// ones. [Generate] steps by two, so a suite keeps to the side of its first seed, and level 2
// refuses to learn from a suite without training tasks. To hold out a whole kind of task, and
// not only seeds of it, leave its family out of the run and judge by it on either parity, or give
// it another split.
type Family struct {
	Name        string
	Description string
	Split       string // parity, training, validation, test

	source  string // embedded name or absolute path
	entries []generator
}

// origin is where a generated task comes from.
type origin struct {
	family string // embedded name or absolute path
	seed   uint64
}

// generator makes the tasks of one entry of a family.
type generator interface {
	// check returns what is wrong beyond what the schema says.
	check() error
	// build makes the problem; name, split and budget of t are set.
	build(t *Task, d draws) error
	// evaluations is the range of budgets.
	evaluations() span
}

// generators are the kinds of entry; each has its fields in the schema as family_NAME. A new one
// holds the defaults.
var generators = map[string]func() generator{
	"teacher":  func() generator { return newTeacher() },
	"geometry": func() generator { return newGeometry() },
	"resample": func() generator { return newResample() },
	"control":  func() generator { return newEpisodes() },
	"plateau":  func() generator { return newPlateau() },
	"series":   func() generator { return newProcess() },
	"mixture":  func() generator { return newMixture() },
}

// budgetRange is the part of an entry that all generators have.
type budgetRange struct {
	Generator string `yaml:"generator"`
	Budget    span   `yaml:"budget"` // evaluations of a run, default 2,000 to 10,000
}

func newBudget() budgetRange { return budgetRange{Budget: span{2_000, 10_000}} }

func (b budgetRange) evaluations() span { return b.Budget }

// FamilyNames returns the embedded families, sorted.
func FamilyNames() []string {
	entries, err := fs.ReadDir(familyFiles, "families")
	if err != nil {
		panic("task: " + err.Error())
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// isFamilyFile tells the path of a family file from an embedded name.
func isFamilyFile(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") ||
		strings.HasSuffix(name, ".yml")
}

var (
	embeddedFamilies = map[string]*Family{} // parsed once
	familyLock       sync.Mutex
)

// OpenFamily returns an embedded family, or that of a file when name is a path.
//
// It returns [rsie.ErrNotFound] with the names there are, and [rsie.ErrInvalid] with file, line,
// field and allowed range.
func OpenFamily(name string) (*Family, error) {
	if isFamilyFile(name) {
		text, err := readLimited(name, MaxTaskFile)
		if err != nil {
			return nil, err
		}
		f, err := parseFamily(text, name)
		if err != nil {
			return nil, err
		}
		if f.source, err = filepath.Abs(name); err != nil {
			return nil, fmt.Errorf("%w: family %s: %v", rsie.ErrInvalid, name, err)
		}
		return f, nil
	}
	familyLock.Lock()
	defer familyLock.Unlock()
	if f := embeddedFamilies[name]; f != nil {
		return f, nil
	}
	path := "families/" + name + ".yaml"
	text, err := familyFiles.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: family %q; the embedded ones are %s; a file is named by its path",
			rsie.ErrNotFound, name, quoted(FamilyNames()))
	}
	f, err := parseFamily(text, path)
	if err == nil {
		f.source, embeddedFamilies[name] = name, f
	}
	return f, err
}

// parseFamily reads the text of a family file.
func parseFamily(text []byte, path string) (*Family, error) {
	doc, err := parseYAML(text, path)
	if err != nil {
		return nil, err
	}
	root := doc.Content[0]
	if err := validate("family", root, path); err != nil {
		return nil, err
	}
	var head struct {
		Family      string      `yaml:"family"`
		Description string      `yaml:"description"`
		Split       string      `yaml:"split"`
		Tasks       []yaml.Node `yaml:"tasks"`
	}
	if err := root.Decode(&head); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, err)
	}
	f := &Family{Name: head.Family, Description: head.Description, Split: head.Split}
	if f.Split == "" {
		f.Split = "parity"
	}
	for i := range head.Tasks {
		g, err := parseEntry(&head.Tasks[i], path)
		if err != nil {
			return nil, err
		}
		f.entries = append(f.entries, g)
	}
	return f, nil
}

// parseEntry reads one entry of a family.
func parseEntry(node *yaml.Node, path string) (generator, error) {
	g := generators[field(node, "generator").Value]() // the schema has seen to it
	if err := node.Decode(g); err != nil {
		return nil, fmt.Errorf("%w: %s:%d: %v", rsie.ErrInvalid, path, node.Line, err)
	}
	if err := checkSpans(node); err != nil {
		return nil, fmt.Errorf("%w: %s:%v", rsie.ErrInvalid, path, err)
	}
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("%w: %s:%d: %v", rsie.ErrInvalid, path, node.Line, err)
	}
	return g, nil
}

// checkSpans refuses ranges that end before they begin; its errors begin with the line.
func checkSpans(entry *yaml.Node) error {
	for i := 0; i < len(entry.Content); i += 2 {
		name, value := entry.Content[i], entry.Content[i+1]
		if value.Kind != yaml.SequenceNode || len(value.Content) != 2 {
			continue
		}
		var s span
		if value.Decode(&s) == nil && s.Low > s.High {
			return fmt.Errorf("%d: %s [%g, %g]; the first number is the lower one", value.Line,
				name.Value, s.Low, s.High)
		}
	}
	return nil
}

// Task returns the task of a seed, 0 to [MaxSeed].
func (f *Family) Task(seed uint64) (*Task, error) {
	t := &Task{Name: fmt.Sprintf("generated/%s/%d", f.Name, seed), Kind: "generated", Split: f.Split,
		origin: origin{f.source, seed}}
	if f.Split == "parity" {
		t.Split = [2]string{"training", "validation"}[seed%2]
	}
	h := fnv.New64a()
	h.Write([]byte(f.Name))
	d := draws{rsie.NewKey(h.Sum64()).Child(seed)}
	g := f.entries[seed/2%uint64(len(f.entries))]
	t.Budget = roundBudget(d.ratio("budget", g.evaluations()))
	if err := g.build(t, d); err != nil {
		return nil, fmt.Errorf("task %s: %w", t.Name, err)
	}
	return t, nil
}

// roundBudget rounds to hundreds, where there are any, for the sake of people who read it.
func roundBudget(v float64) int {
	if v < 1000 {
		return int(v)
	}
	return int(v/100+0.5) * 100
}

// generatedSpec is a generated task in a task file: its family, embedded or a file relative to
// this one, and its seed.
type generatedSpec struct {
	Family string `yaml:"family"`
	Seed   uint64 `yaml:"seed"`
	Digest string `yaml:"digest"` // the task must have it, where it is given
}

// build makes the problem of the family; name, split, budget and anchors are those of the file.
func (s *generatedSpec) build(t *Task, c *loading) error {
	if c.network != nil {
		return c.invalid("network does not belong to kind generated; the family draws it")
	}
	name := s.Family
	if isFamilyFile(name) && !filepath.IsAbs(name) {
		name = filepath.Join(c.dir, name)
		if !isFamilyFile(name) {
			name = "./" + name
		}
	}
	f, err := OpenFamily(name)
	if err != nil {
		return fmt.Errorf("%s: %w", c.where, err)
	}
	made, err := f.Task(s.Seed)
	if err != nil {
		return fmt.Errorf("%s: %w", c.where, err)
	}
	if s.Digest != "" && s.Digest != made.digest {
		return c.invalid("digest is %s, the file says %s: another version of the family made it; "+
			"generate it again", made.digest, s.Digest)
	}
	t.Problem, t.digest, t.metrics, t.origin = made.Problem, made.digest, made.metrics, made.origin
	if t.Description == "" {
		t.Description = made.Description
	}
	return nil
}
