//go:build cuda

package gpu_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestMain fails when the emulated driver, which counts, never ran one of the kernels.
func TestMain(m *testing.M) {
	code := m.Run()
	path := os.Getenv("RSIE_EMU_LOG")
	if path == "" || code != 0 {
		os.Exit(code)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		fmt.Println("kernels that ran:", err)
		os.Exit(1)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasSuffix(line, " 0\n") {
			fmt.Println("FAIL: never launched:", strings.TrimSuffix(line, " 0\n"))
			code = 1
		}
	}
	os.Exit(code)
}
