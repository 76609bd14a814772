package rsie

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

type philoxCase struct {
	Name    string    `json:"name"`
	Counter [4]string `json:"counter"`
	Key     [2]string `json:"key"`
	Output  [4]string `json:"output"`

	Seed       string `json:"seed"`
	Run        uint32 `json:"run"`
	Stream     Stream `json:"stream"`
	Generation uint32 `json:"generation"`
	Member     uint32 `json:"member"`
	Element    string `json:"element"`
	Word       string `json:"word"`
}

func hexWord(t *testing.T, s string) uint32 {
	v, err := strconv.ParseUint(s, 16, 32)
	require.NoError(t, err)
	return uint32(v)
}

// The file was made by a program that is not ours and holds the published known answers.
func TestPhiloxKnownAnswers(t *testing.T) {
	b, err := os.ReadFile("testdata/philox4x32_10.json")
	require.NoError(t, err)
	var file struct{ Published, Cases, Addressed []philoxCase }
	require.NoError(t, json.Unmarshal(b, &file))
	require.Len(t, file.Published, 3)
	require.Len(t, file.Cases, 256)
	for _, c := range append(file.Published, file.Cases...) {
		var ctr, want [4]uint32
		for i := range ctr {
			ctr[i], want[i] = hexWord(t, c.Counter[i]), hexWord(t, c.Output[i])
		}
		require.Equal(t, want, philox(ctr, [2]uint32{hexWord(t, c.Key[0]), hexWord(t, c.Key[1])}), c.Name)
	}
	require.NotEmpty(t, file.Addressed)
	for _, c := range file.Addressed {
		seed, err := strconv.ParseUint(c.Seed, 0, 64)
		if err != nil {
			seed, err = strconv.ParseUint(c.Seed, 16, 64)
		}
		require.NoError(t, err)
		element, err := strconv.ParseUint(c.Element, 10, 64)
		require.NoError(t, err)
		w := NewKey(seed).Words(uint32(element/4), c.Member, c.Generation, c.Run, c.Stream)
		require.Equal(t, hexWord(t, c.Word), w[element%4], "seed %s element %s", c.Seed, c.Element)
	}
}

func TestUniformIsOpen(t *testing.T) {
	require.Equal(t, 0x1p-25, Uniform(0))
	require.Equal(t, 1-0x1p-25, Uniform(^uint32(0)))
}

func TestChildrenDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	for _, seed := range []uint64{0, 1, 1 << 40} {
		for i := range uint64(1000) {
			seen[NewKey(seed).Child(i).Seed()] = true
		}
	}
	require.Len(t, seen, 3000)
}
