package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// words returns what [rsie.Key.Words] does at an address, TestWords compares them. The counter
// stays in registers here, which halves the time of every draw.
func (a *address) words(block int, s rsie.Stream) (w0, w1, w2, w3 uint32) {
	seed := a.key.Seed()
	k0, k1 := uint32(seed), uint32(seed>>32)
	w0, w1, w2, w3 = uint32(block), a.member, a.generation, a.run<<8|uint32(s)
	for range 5 {
		x, y := 0xD2511F53*uint64(w0), 0xCD9E8D57*uint64(w2)
		w0, w1, w2, w3 = uint32(y>>32)^w1^k0, uint32(y), uint32(x>>32)^w3^k1, uint32(x)
		k0, k1 = k0+0x9E3779B9, k1+0xBB67AE85
		x, y = 0xD2511F53*uint64(w0), 0xCD9E8D57*uint64(w2)
		w0, w1, w2, w3 = uint32(y>>32)^w1^k0, uint32(y), uint32(x>>32)^w3^k1, uint32(x)
		k0, k1 = k0+0x9E3779B9, k1+0xBB67AE85
	}
	return w0, w1, w2, w3
}
