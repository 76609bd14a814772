package rsie

import "math/bits"

// Stream names what a draw is for; no two uses share a stream within one generation of a run.
type Stream uint8

// The streams. The numbers are part of the numeric contract and never change.
const (
	StreamInitialise Stream = 1 + iota // first populations, fresh members, start means
	StreamSelect                       // which parents a child has
	StreamCross                        // whether and where genes come from the second parent
	StreamMutateMask                   // which genes are mutated
	StreamMutate                       // the size of a mutation
	StreamSample                       // noise of distribution strategies
	StreamImmigrant                    // members that replace the worst
	StreamFactor                       // noise on singular values
	StreamProblem                      // what a noisy problem draws
	StreamChild                        // derived keys
	StreamResample                     // bootstrap and races
	StreamPath                         // noise along the evolution path
	StreamScramble                     // what a low-discrepancy sequence is scrambled by
	StreamArchive                      // which row of a full archive is overwritten
	StreamRestart                      // sizes and steps of restarts
)

// Key is an address of randomness: the seed of Philox4x32-10. It is a value; every draw is a
// pure function of the key and its counter, so it never depends on the order of calls, on a
// thread or on a device.
type Key struct{ seed uint64 }

// NewKey returns the key of a seed.
func NewKey(seed uint64) Key { return Key{seed} }

// Seed returns the 64 bits of k.
func (k Key) Seed() uint64 { return k.seed }

// Child returns the i-th key below k. Keys of different i, and children of different keys, are
// unrelated for every practical purpose; one child serves one purpose.
func (k Key) Child(i uint64) Key {
	w := k.Words(uint32(i), uint32(i>>32), 0, 0, StreamChild)
	return Key{uint64(w[0]) | uint64(w[1])<<32}
}

// Words returns four random words:
//
//	Philox4x32-10 with key = seed (low word, high word)
//	counter = (block, member, generation, run<<8 | stream)
//
// Element j of a member uses word j mod 4 of block j/4. The run occupies 24 bits.
func (k Key) Words(block, member, generation, run uint32, s Stream) [4]uint32 {
	return philox([4]uint32{block, member, generation, run<<8 | uint32(s)},
		[2]uint32{uint32(k.seed), uint32(k.seed >> 32)})
}

// philox is Philox4x32 with ten rounds.
//
// Source: J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011.
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for round := 0; ; round++ {
		hi0, lo0 := bits.Mul32(0xD2511F53, c[0])
		hi1, lo1 := bits.Mul32(0xCD9E8D57, c[2])
		c = [4]uint32{hi1 ^ c[1] ^ k[0], lo1, hi0 ^ c[3] ^ k[1], lo0}
		if round == 9 {
			return c
		}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
}

// Uniform maps a random word to the open interval (0,1):
//
//	u = (w>>8 + 0.5) / 2^24
//
// The value has 24 significant bits plus the half and is exact in float32 but for the half at
// the top; it is never 0 and never 1.
func Uniform(w uint32) float64 { return (float64(w>>8) + 0.5) * 0x1p-24 }

// Below maps a random word to 0..n-1 by the high half of the product w·n; n must be positive.
// The bias is below n/2^32.
func Below(w, n uint32) uint32 {
	hi, _ := bits.Mul32(w, n)
	return hi
}
