package bench

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const module = "github.com/symbio-ai/recursive-improvement"

// allowed says what the files of a folder may import besides the standard library.
type allowed struct {
	project []string // folders of this module; "" is the root package
	modules []string // third-party modules
	tests   []string // further modules of the tests
	native  bool     // unsafe and cgo
}

// importTable is the direction of imports of docs/design.md. A new arrow needs its reason there.
var importTable = map[string]allowed{
	"":               {},
	"kernels":        {project: []string{""}, native: true},
	"kernels/images": {},
	"cpu":            {project: []string{"", "kernels"}, modules: []string{"gonum.org/v1/gonum"}, native: true},
	"gpu":            {project: []string{"", "kernels", "kernels/images"}, modules: []string{"gorgonia.org/cu"}, native: true},
	"task/bbob":      {project: []string{""}},
	"task/graph": {project: []string{""}, modules: []string{
		"gorgonia.org/gorgonia", "gorgonia.org/tensor", "go4.org/unsafe/assume-no-moving-gc"}},
	"task": {project: []string{"", "task/bbob"}, modules: []string{
		"go.yaml.in/yaml/v3", "github.com/santhosh-tekuri/jsonschema/v6", "golang.org/x/sync", "golang.org/x/sys",
		"golang.org/x/text"}}, // how jsonschema words its errors
	"meta/stats": {project: []string{""}, modules: []string{"gonum.org/v1/gonum"}},
	"meta/store": {project: []string{""}, modules: []string{"modernc.org/sqlite", "golang.org/x/sys"}},
	"meta": {project: []string{"", "task", "meta/stats", "meta/store"},
		modules: []string{"golang.org/x/sync"}},
	"meta/explain": {project: []string{"", "task", "meta", "meta/stats"}, modules: []string{"gonum.org/v1/gonum"}},
	"report": {project: []string{"", "meta", "meta/stats", "meta/store", "meta/explain"},
		modules: []string{"gonum.org/v1/plot"}},
	"report/export": {project: []string{"", "task", "meta", "meta/store", "report"}, modules: []string{
		"github.com/parquet-go/parquet-go", "google.golang.org/protobuf/encoding/protowire"}},
	"report/live": {project: []string{"", "meta", "meta/store", "report"}},
	"bench": {project: []string{"", "kernels", "cpu", "gpu", "task", "task/bbob", "meta", "meta/stats",
		"meta/store", "meta/explain", "report"}},
	"cmd/rsie": {project: []string{"", "cpu", "gpu", "task", "meta", "meta/stats", "meta/store", "meta/explain", "report",
		"report/export", "report/live"},
		modules: []string{"github.com/alecthomas/kong", "github.com/vbauerster/mpb/v8", "go.yaml.in/yaml/v3",
			"golang.org/x/term", "golang.org/x/sys"},
		tests: []string{"modernc.org/sqlite"}}, // damages run.db on purpose
	// Programs of users, one folder each; the key stands for all folders below it.
	"examples": {project: []string{"", "cpu", "task", "task/graph", "meta"},
		modules: []string{"gorgonia.org/gorgonia", "gorgonia.org/tensor"}},
}

// testModules are what tests may import besides the modules of their package.
var testModules = []string{"github.com/stretchr/testify", "pgregory.net/rapid", "go.uber.org/goleak",
	"github.com/rogpeppe/go-internal"}

// topFolders are the folders of the root besides hidden and git-ignored ones.
var topFolders = []string{"bench", "cmd", "cpu", "docs", "examples", "gpu", "kernels", "meta", "report",
	"task", "testdata"}

// vagueNames say nothing about what a package is.
var vagueNames = []string{"util", "utils", "common", "types", "helper", "helpers"}

func TestImportDirection(t *testing.T) {
	got, err := violations(os.DirFS(".."))
	require.NoError(t, err)
	for _, v := range got {
		t.Error(v)
	}
}

// violations returns every place of a tree that breaks a rule of layout or imports. It reads the
// files themselves, so that those behind a build tag count.
func violations(tree fs.FS) ([]string, error) {
	var out []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != ".":
			if skipped(name) {
				return fs.SkipDir
			}
			if !strings.Contains(name, "/") && !slices.Contains(topFolders, name) {
				out = append(out, fmt.Sprintf("%s: top-level folder outside %v", name, topFolders))
			}
			if slices.Contains(vagueNames, path.Base(name)) {
				out = append(out, fmt.Sprintf("%s: name the folder after what it holds", name))
			}
		case path.Ext(name) == ".go":
			found, err := fileViolations(tree, name)
			if err != nil {
				return err
			}
			out = append(out, found...)
		}
		return nil
	})
	return out, err
}

// skipped reports whether a folder is no part of the source: hidden, test data or ignored by git.
func skipped(name string) bool {
	base := path.Base(name)
	return base[0] == '.' || base[0] == '_' || base == "testdata" && name != "testdata" ||
		name == "bin" || name == "runs" || strings.HasPrefix(name, "run-")
}

func fileViolations(tree fs.FS, name string) ([]string, error) {
	source, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var out []string
	if p := strings.TrimSuffix(file.Name.Name, "_test"); slices.Contains(vagueNames, p) {
		out = append(out, fmt.Sprintf("%s: name package %s after what it holds", name, p))
	}
	folder := strings.TrimPrefix(path.Dir(name), ".")
	rule, ok := ruleOf(folder)
	if !ok {
		return append(out, fmt.Sprintf("%s: folder %s is not in the import table", name, folder)), nil
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if why := forbidden(rule, folder, imported, strings.HasSuffix(name, "_test.go")); why != "" {
			out = append(out, fmt.Sprintf("%s: imports %q: %s", name, imported, why))
		}
	}
	return out, nil
}

func ruleOf(folder string) (allowed, bool) {
	if strings.HasPrefix(folder, "examples/") {
		folder = "examples"
	}
	rule, ok := importTable[folder]
	return rule, ok
}

// forbidden says why a file of a folder may not import a package; empty means that it may.
func forbidden(rule allowed, folder, imported string, test bool) string {
	if imported == "C" || imported == "unsafe" {
		if !rule.native {
			return "cgo and unsafe stay in gpu, cpu and kernels"
		}
		return ""
	}
	if target, ok := strings.CutPrefix(imported, module); ok {
		target = strings.TrimPrefix(target, "/")
		if target == folder || slices.Contains(rule.project, target) {
			return ""
		}
		// Tests may use any package but the programs; what they use is no arrow of the product.
		if _, known := importTable[target]; test && known && !strings.HasPrefix(target, "cmd/") {
			return ""
		}
		return "a new arrow between packages"
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // standard library
	}
	if within(imported, []string{"gorgonia.org/cu"}) && folder != "gpu" {
		return "gorgonia.org/cu ends a program without a device; it stays in gpu"
	}
	if within(imported, rule.modules) || test && (within(imported, testModules) || within(imported, rule.tests)) {
		return ""
	}
	return "a third-party module outside the import table"
}

// within reports whether a package belongs to one of the modules.
func within(imported string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool {
		return imported == m || strings.HasPrefix(imported, m+"/")
	})
}

// Every rule is broken once by a small tree, and kept once beside it.
func TestImportRulesCanFail(t *testing.T) {
	file := func(pkg string, imports ...string) *fstest.MapFile {
		text := "//go:build cuda\n\npackage " + pkg + "\n"
		for _, i := range imports {
			text += "import _ " + strconv.Quote(i) + "\n"
		}
		return &fstest.MapFile{Data: []byte(text)}
	}
	for _, c := range []struct {
		name, file, pkg, imported, want string
	}{
		{"arrow backwards", "a.go", "rsie", module + "/meta", "a new arrow"},
		{"arrow forwards", "meta/a.go", "meta", module + "/task", ""},
		{"meta names a device", "meta/a.go", "meta", module + "/cpu", "a new arrow"},
		{"meta's test names a device", "meta/a_test.go", "meta_test", module + "/cpu", ""},
		{"kernels know a device", "kernels/a.go", "kernels", module + "/cpu", "a new arrow"},
		{"devices know each other", "gpu/a.go", "gpu", module + "/cpu", "a new arrow"},
		{"store knows the loop", "meta/store/a.go", "store", module + "/meta", "a new arrow"},
		{"bench uses a program", "bench/a_test.go", "bench", module + "/cmd/rsie", "a new arrow"},
		{"program links graph", "cmd/rsie/a.go", "main", module + "/task/graph", "a new arrow"},
		{"task links graph", "task/a.go", "task", module + "/task/graph", "a new arrow"},
		{"example uses graph", "examples/graph/a.go", "main", module + "/task/graph", ""},
		{"unknown project package", "meta/a_test.go", "meta", module + "/else", "a new arrow"},
		{"module in the root", "a.go", "rsie", "gonum.org/v1/gonum/mat", "third-party"},
		{"module in a test of the root", "a_test.go", "rsie", "pgregory.net/rapid", ""},
		{"module of tests in the product", "cpu/a.go", "cpu", "pgregory.net/rapid", "third-party"},
		{"module of another package", "task/a.go", "task", "modernc.org/sqlite", "third-party"},
		{"module of the program's tests", "cmd/rsie/a_test.go", "main", "modernc.org/sqlite", ""},
		{"module of tests in the program", "cmd/rsie/a.go", "main", "modernc.org/sqlite", "third-party"},
		{"module of the package", "meta/store/a.go", "store", "modernc.org/sqlite", ""},
		{"name that begins like a module", "cpu/a.go", "cpu", "gonum.org/v1/gonumx", "third-party"},
		{"graph uses gorgonia", "task/graph/a.go", "graph", "gorgonia.org/tensor", ""},
		{"cu in gpu", "gpu/a.go", "gpu", "gorgonia.org/cu/dnn", ""},
		{"cu elsewhere", "cpu/a_test.go", "cpu", "gorgonia.org/cu", "stays in gpu"},
		{"cu in graph", "task/graph/a.go", "graph", "gorgonia.org/cu", "stays in gpu"},
		{"cgo in cpu", "cpu/a.go", "cpu", "C", ""},
		{"cgo elsewhere", "task/a.go", "task", "C", "cgo and unsafe"},
		{"unsafe in gpu", "gpu/a.go", "gpu", "unsafe", ""},
		{"unsafe in a test", "meta/a_test.go", "meta", "unsafe", "cgo and unsafe"},
		{"standard library", "a.go", "rsie", "encoding/json", ""},
		{"vague package", "task/a.go", "helpers", "fmt", "name package helpers"},
		{"vague folder", "examples/util/a.go", "main", "fmt", "name the folder"},
		{"new folder", "task/other/a.go", "other", "fmt", "not in the import table"},
		{"new top-level folder", "extra/readme.md", "", "", "top-level folder"},
		{"folder of runs", "run-1/readme.md", "", "", ""},
		{"test data of a package", "task/testdata/a.go", "util", "C", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := violations(fstest.MapFS{c.file: file(c.pkg, c.imported)})
			require.NoError(t, err)
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], c.want)
		})
	}
}
