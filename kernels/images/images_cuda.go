//go:build cuda

package images

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
)

//go:embed rsie.ptx.gz
var image []byte

// PTX returns the kernels for a CUDA driver, which compiles them for its device: entries
// rsie_NAME.
func PTX() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(image))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}
