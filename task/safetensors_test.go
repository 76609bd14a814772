package task

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// numbers returns the values of a tensor of any type of the test files, as text.
func numbers(t *testing.T, x tensor) []string {
	t.Helper()
	var out []string
	size := int(elementBytes[x.dtype])
	for at := 0; at < len(x.data); at += size {
		b := x.data[at:][:size]
		switch x.dtype {
		case "F64":
			out = append(out, fmt.Sprint(math.Float64frombits(binary.LittleEndian.Uint64(b))))
		case "F32":
			out = append(out, fmt.Sprint(float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))))
		case "F16":
			bits := binary.LittleEndian.Uint16(b)
			v := math.Ldexp(1+float64(bits&1023)/1024, int(bits>>10&31)-15) // normal numbers only
			if bits>>15 == 1 {
				v = -v
			}
			out = append(out, fmt.Sprint(v))
		case "I64":
			out = append(out, strconv.FormatInt(int64(binary.LittleEndian.Uint64(b)), 10))
		case "I32":
			out = append(out, strconv.Itoa(int(int32(binary.LittleEndian.Uint32(b)))))
		case "U8":
			out = append(out, strconv.Itoa(int(b[0])))
		case "BOOL":
			out = append(out, fmt.Sprint(b[0] == 1))
		default:
			t.Fatalf("dtype %s", x.dtype)
		}
	}
	return out
}

// Files of the safetensors package 0.8.0 read as that package reads them.
func TestTensorsOfReference(t *testing.T) {
	text, err := os.ReadFile("testdata/safetensors/expected.json")
	require.NoError(t, err)
	var files map[string]struct {
		Metadata map[string]string
		Tensors  map[string]struct {
			Shape  []int
			Values []any
		}
	}
	require.NoError(t, json.Unmarshal(text, &files))
	require.Len(t, files, 3)
	for name, want := range files {
		b, err := os.ReadFile("testdata/safetensors/" + name)
		require.NoError(t, err)
		got, metadata, err := readTensors(bytes.NewReader(b), int64(len(b)))
		require.NoError(t, err, name)
		require.Equal(t, want.Metadata, metadata, name)
		require.Len(t, got, len(want.Tensors), name)
		for _, x := range got {
			w := want.Tensors[x.name]
			require.Equal(t, append([]int{}, w.Shape...), append([]int{}, x.shape...), x.name)
			var texts []string
			for _, v := range w.Values {
				texts = append(texts, fmt.Sprint(v))
			}
			require.Equal(t, texts, numbers(t, x), x.name)
		}
		var again bytes.Buffer
		require.NoError(t, writeTensors(&again, got, metadata))
		back, _, err := readTensors(bytes.NewReader(again.Bytes()), int64(again.Len()))
		require.NoError(t, err)
		require.ElementsMatch(t, got, back)
	}
}

func TestBrokenTensorsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"bad_duplicate_key":             `field "a" stands twice`,
		"bad_empty_file":                "0 bytes are no room",
		"bad_header_length_beyond_file": "a header of 5000 bytes does not fit",
		"bad_header_length_huge":        "a header of 9223372036854775825 bytes does not fit",
		"bad_hole_in_data":              "want them to begin at 4",
		"bad_negative_offset":           "cannot unmarshal number -4",
		"bad_not_json":                  "not a JSON object",
		"bad_overlapping_ranges":        "want them to begin at 8",
		"bad_shape_overflow":            "overflows",
		"bad_shape_size_mismatch":       "needs 12 bytes, its range has 8",
		"bad_short_file":                "3 bytes are no room",
		"bad_trailing_bytes":            "the tensors hold 4 bytes, the file 12",
		"bad_truncated_data":            "the tensors hold 16 bytes, the file 11",
		"bad_unknown_dtype":             `unknown dtype "F31"`,
	} {
		b, err := os.ReadFile("testdata/safetensors/" + name + ".safetensors")
		require.NoError(t, err)
		_, _, err = readTensors(bytes.NewReader(b), int64(len(b)))
		require.ErrorIs(t, err, rsie.ErrInvalid, name)
		require.ErrorContains(t, err, text, name)
	}
	bad, err := filepath.Glob("testdata/safetensors/bad_*")
	require.NoError(t, err)
	require.Len(t, bad, 14, "every broken file is in the table")
	for _, header := range []string{
		`{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}`,
		`{"a":{"dtype":"U8","data_offsets":[0,0]}}`,
		`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}`,
		`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":1}}`,
		`{"__metadata__":{"a":1}}`, `{}x`, `{"a":`, `[]`,
	} {
		b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
		_, _, err := readTensors(bytes.NewReader(b), int64(len(b)))
		require.ErrorIs(t, err, rsie.ErrInvalid, header)
	}
}

func TestTensorsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringN(1, 8, -1), 0, 5, rapid.ID[string]).Draw(t, "names")
		var in []tensor
		for _, name := range names {
			if name == "__metadata__" || string([]rune(name)) != name {
				t.Skip()
			}
			dtype := rapid.SampledFrom([]string{"F64", "F32", "U8", "BF16"}).Draw(t, "dtype")
			shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "shape")
			n := int(elementBytes[dtype])
			for _, k := range shape {
				n *= k
			}
			in = append(in, tensor{name, dtype, shape, rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "data")})
		}
		metadata := rapid.MapOf(rapid.StringMatching("[a-z<&\"\\\\]{1,5}"), rapid.StringMatching("[ -~é]*")).Draw(t, "metadata")
		var b bytes.Buffer
		require.NoError(t, writeTensors(&b, in, metadata))
		require.Zero(t, (b.Len()-dataBytes(in))%8, "the data begin at a multiple of 8")
		out, back, err := readTensors(bytes.NewReader(b.Bytes()), int64(b.Len()))
		require.NoError(t, err)
		require.Equal(t, metadata, back)
		require.Len(t, out, len(in))
		for _, want := range in {
			found := false
			for _, got := range out {
				if got.name == want.name {
					found = true
					require.Equal(t, want.dtype, got.dtype)
					require.Equal(t, append([]int{}, want.shape...), append([]int{}, got.shape...))
					require.True(t, bytes.Equal(want.data, got.data))
				}
			}
			require.True(t, found, want.name)
		}
	})
}

func dataBytes(all []tensor) int {
	n := 0
	for _, t := range all {
		n += len(t.data)
	}
	return n
}
