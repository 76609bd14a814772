package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// numericContract names the rules that fix every bit of a result; docs/design.md, section 7.
const numericContract = "rsie-math/1"

type versionCmd struct{ jsonFlag }

// versionResult is the object that --json prints.
type versionResult struct {
	Version         string `json:"version"`  // of the module, "(devel)" from a checkout
	Commit          string `json:"commit"`   // empty when the build does not know it
	Modified        bool   `json:"modified"` // the checkout differed from the commit
	Go              string `json:"go"`
	Platform        string `json:"platform"`
	NumericContract string `json:"numeric_contract"`
}

// buildVersion reads what the linker knows of this program.
func buildVersion() versionResult {
	v := versionResult{Version: "(devel)", Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, NumericContract: numericContract}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// Run prints the version.
func (c *versionCmd) Run(e *env) error {
	v := buildVersion()
	if c.JSON {
		return printJSON(e.stdout, v)
	}
	commit := v.Commit
	switch {
	case commit == "":
		commit = "unknown"
	case v.Modified:
		commit += " with changes"
	}
	_, err := fmt.Fprintf(e.stdout, "rsie %s\ncommit %s\n%s %s\nnumeric contract %s\n",
		v.Version, commit, v.Go, v.Platform, v.NumericContract)
	return err
}
