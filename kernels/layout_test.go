//go:build cgo

package kernels

import "testing"

func TestLayout(t *testing.T) {
	if err := Check(368); err != nil {
		t.Fatal(err)
	}
}
