package export

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
)

// NPZ writes the tensors of a model as a NumPy archive of float64 arrays, stored without
// compression. The same model gives the same bytes.
//
// Source: NumPy, format 1.0 of the npy file, numpy/lib/format.py.
func NPZ(w io.Writer, m *task.SavedModel) error {
	z := zip.NewWriter(w)
	for _, t := range m.Tensors() {
		f, err := z.CreateHeader(&zip.FileHeader{Name: t.Name + ".npy", Method: zip.Store})
		if err != nil {
			return err
		}
		if _, err := f.Write(npy(t)); err != nil {
			return err
		}
	}
	return z.Close()
}

// npy is one array: magic, version, the length of a header that ends at a multiple of 64, data.
func npy(t task.Tensor) []byte {
	var shape []string
	for _, n := range t.Shape {
		shape = append(shape, fmt.Sprint(n))
	}
	tuple := "(" + strings.Join(shape, ", ") + ")"
	if len(shape) == 1 {
		tuple = "(" + shape[0] + ",)"
	}
	header := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': %s, }", tuple)
	const fixed = 10 // magic, version, length
	pad := 64 - (fixed+len(header)+1)%64
	header += strings.Repeat(" ", pad%64) + "\n"
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	_ = binary.Write(&b, binary.LittleEndian, uint16(len(header))) // to memory
	b.WriteString(header)
	for _, v := range t.Values {
		_ = binary.Write(&b, binary.LittleEndian, math.Float64bits(v))
	}
	return b.Bytes()
}

// Safetensors writes the model's own file, which is in that format, after the model has been read
// and checked.
func Safetensors(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", rsie.ErrInvalid, err)
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
