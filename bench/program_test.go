package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// program is a freshly built rsie.
type program struct{ path string }

func buildProgram(t *testing.T) program {
	p := program{filepath.Join(t.TempDir(), "rsie")}
	out, err := exec.Command("go", "build", "-o", p.path, "../cmd/rsie").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return p
}

// help returns what `rsie COMMAND --help` prints.
func (p program) help(t *testing.T, command string) string {
	out, err := exec.Command(p.path, append(strings.Fields(command), "--help")...).CombinedOutput()
	require.NoError(t, err, "rsie %s --help: %s", command, out)
	return string(out)
}

// listed is a line of the command list: two spaces, the words of a command, its description.
var listed = regexp.MustCompile(`^  ([a-z]+(?: [a-z]+)?)  +\S`)

// commands returns every subcommand that the program lists.
func (p program) commands(t *testing.T) []string {
	_, list, found := strings.Cut(p.help(t, ""), "\nCommands:\n")
	require.True(t, found, "rsie --help has no list of commands")
	var out []string
	for _, line := range strings.Split(list, "\n") {
		if m := listed.FindStringSubmatch(line); m != nil {
			out = append(out, m[1])
		}
	}
	return out
}

func TestEveryCommandHasHelp(t *testing.T) {
	p := buildProgram(t)
	commands := p.commands(t)
	for _, want := range []string{"evolve", "resume", "train", "predict", "sample", "compare",
		"strategy list", "strategy show", "strategy diff", "strategy validate",
		"tasks show", "tasks eval", "tasks anchors", "init", "doctor", "version"} {
		require.Contains(t, commands, want)
	}
	for _, c := range commands {
		help := p.help(t, c)
		require.Contains(t, help, "Usage: rsie "+c)
		require.NotContains(t, help, "TODO")
	}
}

// unknownWord says what a line of a block that is not run names and the project lacks: a
// subcommand, a flag, a target of the Makefile. Empty means nothing.
func (p program) unknownWord(t *testing.T, commands []string, line string) string {
	words := strings.Fields(line)
	if len(words) == 0 {
		return ""
	}
	if words[0] == "make" {
		makefile, err := os.ReadFile("../Makefile")
		require.NoError(t, err)
		for _, w := range words[1:] {
			if !strings.Contains(w, "=") && !regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(w)+`:`).Match(makefile) {
				return "make " + w
			}
		}
		return ""
	}
	at := slices.IndexFunc(words, func(w string) bool { return w == "rsie" || strings.HasSuffix(w, "/rsie") })
	if at < 0 {
		return ""
	}
	words = words[at+1:]
	command := ""
	for n := min(2, len(words)); n > 0 && command == ""; n-- {
		if c := strings.Join(words[:n], " "); slices.Contains(commands, c) {
			command = c
		}
	}
	if command == "" && len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		// `rsie tasks` alone means one of its subcommands.
		if !slices.ContainsFunc(commands, func(c string) bool { return strings.HasPrefix(c, words[0]+" ") }) {
			return "rsie " + words[0]
		}
		command = words[0]
	}
	help := p.help(t, command)
	for _, w := range words {
		flag, _, _ := strings.Cut(w, "=")
		if strings.HasPrefix(flag, "--") && !regexp.MustCompile(regexp.QuoteMeta(flag)+`\b`).MatchString(help) {
			return "rsie " + command + " " + flag
		}
	}
	return ""
}

func TestUnknownWordsAreFound(t *testing.T) {
	p := buildProgram(t)
	commands := p.commands(t)
	for line, want := range map[string]string{
		"rsie evolve --suite quick --seed=3": "",
		"rsie evolve --sweet quick":          "rsie evolve --sweet",
		"bin/rsie tasks show iris":           "",
		"rsie tasks":                         "",
		"rsie evolute":                       "rsie evolute",
		"time rsie train iris --budgets 3":   "rsie train --budgets",
		"make test":                          "",
		"make tests":                         "make tests",
		"cat file":                           "",
		"":                                   "",
	} {
		require.Equal(t, want, p.unknownWord(t, commands, line), line)
	}
}
