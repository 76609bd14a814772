package bench

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// block is one fenced block of shell commands of a document.
type block struct {
	line     int    // of the opening fence, from 1
	commands string // its text
	reason   string // why it is not run; empty: it is run
	output   int    // line of the opening fence of its output, 0 without one
	exact    bool   // whether its standard output is want to the byte, or line by line its first words
	want     string
}

var (
	fence          = regexp.MustCompile("^```+(.*)$")
	indentedRunner = regexp.MustCompile(`^(    |\t)\$? ?(rsie|make|go|git) `)
)

// blocks returns the shell blocks of a document in order:
//
//	```sh             commands that are run
//	```sh no-run WHY  commands whose names and flags alone are checked
//	```text exact     what the block before prints, to the byte
//	```text like      what it printed when the document was written: the first word of each line
//
// Commands that stand in any other form would escape the check and are an error.
func blocks(text string) ([]block, error) {
	var out []block
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if indentedRunner.MatchString(lines[i]) {
			return nil, fmt.Errorf("line %d: an indented command; put it into a block that begins ```sh", i+1)
		}
		opening := fence.FindStringSubmatch(lines[i])
		if opening == nil {
			continue
		}
		start, info := i+1, strings.TrimSpace(opening[1])
		var body strings.Builder
		for i++; i < len(lines) && !strings.HasPrefix(lines[i], "```"); i++ {
			body.WriteString(lines[i] + "\n")
		}
		if i == len(lines) {
			return nil, fmt.Errorf("line %d: a block without an end", start)
		}
		kind, rest, _ := strings.Cut(info, " ")
		mode, reason, _ := strings.Cut(rest, " ")
		switch {
		case kind == "bash" || kind == "shell" || kind == "console":
			return nil, fmt.Errorf("line %d: begin the block with ```sh, not ```%s", start, kind)
		case kind == "sh" && mode == "no-run" && reason == "":
			return nil, fmt.Errorf("line %d: say why after no-run", start)
		case kind == "sh" && mode != "" && mode != "no-run":
			return nil, fmt.Errorf("line %d: ```sh is followed by nothing or no-run, not %q", start, mode)
		case kind == "sh":
			out = append(out, block{line: start, commands: body.String(), reason: reason})
		case kind == "text" && mode != "" && info != "text exact" && info != "text like":
			return nil, fmt.Errorf("line %d: ```text is followed by nothing, exact or like, not %q", start, rest)
		case kind == "text" && mode != "" && (len(out) == 0 || out[len(out)-1].reason != ""):
			return nil, fmt.Errorf("line %d: output without commands that are run", start)
		case kind == "text" && mode != "":
			last := &out[len(out)-1]
			last.output, last.exact, last.want = start, mode == "exact", body.String()
		}
	}
	return out, nil
}

func TestBlocksOfADocument(t *testing.T) {
	got, err := blocks("# A\n\n```sh\nrsie version\nrsie doctor\n```\n\n```text exact\n1\n```\n\n" +
		"```text\nabout\n```\n```sh no-run needs a GPU\nrsie evolve\n```\n```yaml\na: 1\n```\n")
	require.NoError(t, err)
	require.Equal(t, []block{
		{line: 3, commands: "rsie version\nrsie doctor\n", output: 8, exact: true, want: "1\n"},
		{line: 15, commands: "rsie evolve\n", reason: "needs a GPU"},
	}, got)
	for text, want := range map[string]string{
		"a\n    rsie evolve\n":                   "line 2: an indented command",
		"```bash\nls\n```\n":                     "line 1: begin the block with ```sh",
		"```sh no-run\nls\n```\n":                "line 1: say why",
		"```sh norun\nls\n```\n":                 "line 1: ```sh is followed by",
		"```sh\nls\n":                            "line 1: a block without an end",
		"```text exact\nls\n```\n":               "line 1: output without commands",
		"```text alike\nls\n```\n":               "line 1: ```text is followed by",
		"```sh no-run x\n```\n```text like\n```": "line 3: output without commands",
	} {
		_, err := blocks(text)
		require.ErrorContains(t, err, want)
	}
}
