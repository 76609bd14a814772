package task

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/bits"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// maxTensorHeader is the format's limit of the header, in bytes.
const maxTensorHeader = 100_000_000

// elementBytes holds the size of an element by its name in the format.
var elementBytes = map[string]uint64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
	"I16": 2, "U16": 2, "F16": 2, "BF16": 2,
	"I32": 4, "U32": 4, "F32": 4,
	"I64": 8, "U64": 8, "F64": 8, "C64": 8,
}

// tensor is an array of a safetensors file, row-major and little-endian.
type tensor struct {
	name  string
	dtype string
	shape []int
	data  []byte
}

// tensorEntry is a tensor in the header.
type tensorEntry struct {
	name  string
	dtype string
	shape []uint64
	begin uint64
	end   uint64
}

// readTensors reads a safetensors file of size bytes: the length of the header (8 bytes), the
// header (JSON), the data. Tensors come in the order of their data. Nothing is allocated that
// the header and the size do not both justify.
//
// It returns [rsie.ErrInvalid] unless the ranges of the tensors tile the data exactly, every
// range fits its shape and type, and no name stands twice.
//
// Source: safetensors 0.8.0, README, section "Format".
func readTensors(r io.ReaderAt, size int64) ([]tensor, map[string]string, error) {
	var word [8]byte
	if size < 8 {
		return nil, nil, badTensors("%d bytes are no room for a header", size)
	}
	if _, err := r.ReadAt(word[:], 0); err != nil {
		return nil, nil, err
	}
	length := binary.LittleEndian.Uint64(word[:])
	if length > maxTensorHeader || length > uint64(size)-8 {
		return nil, nil, badTensors("a header of %d bytes does not fit a file of %d; allowed are %d",
			length, size, maxTensorHeader)
	}
	header := make([]byte, length)
	if _, err := r.ReadAt(header, 8); err != nil {
		return nil, nil, err
	}
	entries, metadata, err := parseTensorHeader(header)
	if err != nil {
		return nil, nil, err
	}
	at := uint64(0)
	slices.SortStableFunc(entries, func(a, b tensorEntry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	for _, e := range entries {
		if e.begin != at || e.end < e.begin {
			return nil, nil, badTensors("tensor %q has bytes %d to %d, want them to begin at %d",
				e.name, e.begin, e.end, at)
		}
		if err := e.check(); err != nil {
			return nil, nil, err
		}
		at = e.end
	}
	if left := uint64(size) - 8 - length; at != left {
		return nil, nil, badTensors("the tensors hold %d bytes, the file %d", at, left)
	}
	data := make([]byte, at)
	if _, err := r.ReadAt(data, int64(8+length)); err != nil && len(data) > 0 {
		return nil, nil, err
	}
	out := make([]tensor, len(entries))
	for i, e := range entries {
		out[i] = tensor{e.name, e.dtype, make([]int, len(e.shape)), data[e.begin:e.end]}
		for k, n := range e.shape {
			out[i].shape[k] = int(n)
		}
	}
	return out, metadata, nil
}

func badTensors(format string, args ...any) error {
	return fmt.Errorf("%w: safetensors: %s", rsie.ErrInvalid, fmt.Sprintf(format, args...))
}

// check returns an error unless the range has the size of the shape, multiplied with care.
func (e tensorEntry) check() error {
	size, ok := elementBytes[e.dtype]
	if !ok {
		return badTensors("tensor %q has the unknown dtype %q", e.name, e.dtype)
	}
	for _, n := range e.shape {
		high, low := bits.Mul64(size, n)
		if high != 0 || low > math.MaxInt64 {
			return badTensors("the shape %v of tensor %q overflows", e.shape, e.name)
		}
		size = low
	}
	if size != e.end-e.begin {
		return badTensors("tensor %q of shape %v needs %d bytes, its range has %d",
			e.name, e.shape, size, e.end-e.begin)
	}
	return nil
}

// parseTensorHeader reads the header's JSON.
func parseTensorHeader(header []byte) (entries []tensorEntry, metadata map[string]string, err error) {
	err = eachField(header, func(name string, value json.RawMessage) error {
		if name == "__metadata__" {
			metadata = map[string]string{}
			return eachField(value, func(key string, value json.RawMessage) error {
				var text string
				if err := json.Unmarshal(value, &text); err != nil {
					return err
				}
				metadata[key] = text
				return nil
			})
		}
		e := tensorEntry{name: name}
		var offsets []uint64
		err := eachField(value, func(key string, value json.RawMessage) error {
			switch key {
			case "dtype":
				return json.Unmarshal(value, &e.dtype)
			case "shape":
				return json.Unmarshal(value, &e.shape)
			case "data_offsets":
				return json.Unmarshal(value, &offsets)
			}
			return fmt.Errorf("unknown field %q", key)
		})
		if err == nil && (len(offsets) != 2 || e.shape == nil) {
			err = fmt.Errorf("want a shape and two data_offsets")
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		e.begin, e.end = offsets[0], offsets[1]
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, nil, badTensors("header: %v", err)
	}
	return entries, metadata, nil
}

// eachField calls f for each field of a JSON object in order and refuses one that stands twice,
// which encoding/json accepts.
func eachField(object []byte, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("not a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name := t.(string) // a key, by the grammar
		if seen[name] {
			return fmt.Errorf("field %q stands twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := f(name, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more after the JSON object")
	}
	return nil
}

// writeTensors writes a safetensors file: data sorted by size of element, large first, so that
// every tensor is aligned, then by name; the header filled with blanks to a multiple of 8.
func writeTensors(w io.Writer, tensors []tensor, metadata map[string]string) error {
	sorted := slices.Clone(tensors)
	slices.SortFunc(sorted, func(a, b tensor) int {
		return cmp.Or(cmp.Compare(elementBytes[b.dtype], elementBytes[a.dtype]), cmp.Compare(a.name, b.name))
	})
	var header bytes.Buffer
	header.WriteByte('{')
	if metadata != nil {
		header.WriteString(`"__metadata__":{`)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if i > 0 {
				header.WriteByte(',')
			}
			header.WriteString(quote(key) + ":" + quote(metadata[key]))
		}
		header.WriteByte('}')
	}
	at := 0
	for i, t := range sorted {
		if i > 0 || metadata != nil {
			header.WriteByte(',')
		}
		shape, err := json.Marshal(append([]int{}, t.shape...))
		if err != nil {
			return err
		}
		fmt.Fprintf(&header, `%s:{"dtype":%s,"shape":%s,"data_offsets":[%d,%d]}`,
			quote(t.name), quote(t.dtype), shape, at, at+len(t.data))
		at += len(t.data)
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 {
		header.WriteByte(' ')
	}
	parts := [][]byte{binary.LittleEndian.AppendUint64(nil, uint64(header.Len())), header.Bytes()}
	for _, t := range sorted {
		parts = append(parts, t.data)
	}
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// quote returns s as JSON text.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("task: a string is always JSON: " + err.Error())
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// encodeF64 returns values as F64 data.
func encodeF64(values []float64) []byte {
	out := make([]byte, 0, 8*len(values))
	for _, v := range values {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
	}
	return out
}

// floats returns the values of a tensor of type F64 or F32.
func (t tensor) floats() ([]float64, error) {
	switch t.dtype {
	case "F64":
		out := make([]float64, len(t.data)/8)
		for i := range out {
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(t.data[8*i:]))
		}
		return out, nil
	case "F32":
		out := make([]float64, len(t.data)/4)
		for i := range out {
			out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(t.data[4*i:])))
		}
		return out, nil
	}
	return nil, badTensors("tensor %q is %s, want F64 or F32", t.name, t.dtype)
}
