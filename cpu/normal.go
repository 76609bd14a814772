package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// lot is how many blocks of words are drawn before they become normal numbers. Philox and each
// half of the transformation are chains of dependent steps; apart from each other, the processor
// works on several elements of one at a time. Together they took 10 ns a number.
const lot = 32

// normals fills z, element j of the address in z[j], with the values of [gauss].
func normals(z []float64, a address, s rsie.Stream) {
	var words [4 * lot]uint32
	for block := 0; len(z) > 0; block += lot {
		n := min(len(z), len(words))
		a.fill(words[:(n+3)&^3], block, s)
		gaussOf(z[:n], words[:(n+3)&^3])
		z = z[n:]
	}
}

// fill writes the words of blocks from `block` on to dst, whose length is a multiple of four.
func (a *address) fill(dst []uint32, block int, s rsie.Stream) {
	seed := a.key.Seed()
	c1, c2, c3 := a.member, a.generation, a.run<<8|uint32(s)
	for ; len(dst) >= 8; dst = dst[8:] {
		k0, k1 := uint32(seed), uint32(seed>>32)
		u0, u1, u2, u3 := uint32(block), c1, c2, c3
		v0, v1, v2, v3 := uint32(block+1), c1, c2, c3
		for range 10 {
			x, y := 0xD2511F53*uint64(u0), 0xCD9E8D57*uint64(u2)
			u0, u1, u2, u3 = uint32(y>>32)^u1^k0, uint32(y), uint32(x>>32)^u3^k1, uint32(x)
			x, y = 0xD2511F53*uint64(v0), 0xCD9E8D57*uint64(v2)
			v0, v1, v2, v3 = uint32(y>>32)^v1^k0, uint32(y), uint32(x>>32)^v3^k1, uint32(x)
			k0, k1 = k0+0x9E3779B9, k1+0xBB67AE85
		}
		q := (*[8]uint32)(dst)
		q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7] = u0, u1, u2, u3, v0, v1, v2, v3
		block += 2
	}
	if len(dst) == 4 {
		dst[0], dst[1], dst[2], dst[3] = a.words(block, s)
	}
}

// gaussOf writes the normal numbers of words, as [gauss] makes them and to the same bits, to z;
// there may be up to three words more than numbers. What stands in the loops is ln and turns.
func gaussOf(z []float64, words []uint32) {
	var radius [2 * lot]float64
	const low = 0x3fe6000000000000
	k := &gaussNumbers
	for p := range radius[:len(words)/2] {
		bits := math.Float64bits(rsie.Uniform(words[2*p]))
		part := bits - low
		v := math.Float64frombits(bits - part&(0xfff<<52))
		u := v + k.part128
		c := &logTable[(math.Float64bits(u)-88)&127]
		r := (v - (u - k.part128)) * c[0]
		q := r * r * (-1./2 + r*(1./3+r*(-1./4+r*(1./5+r*(-1./6+r*(1./7))))))
		radius[p] = math.Sqrt(-2 * (float64(int64(part)>>52)*math.Ln2 + c[1] + (r + q)))
	}
	whole := len(z) / 2
	for p, r := range radius[:whole] {
		u := rsie.Uniform(words[2*p+1])
		w := u + k.part256
		n := math.Float64bits(w)
		d := (u - (w - k.part256)) * (2 * math.Pi)
		s, c := sinTable[n&255], sinTable[(n+64)&255]
		q := d * d
		sd := d + d*q*(-1./6+q*(1./120+q*(-1./5040)))
		cd := q * (-1./2 + q*(1./24+q*(-1./720)))
		pair := z[2*p : 2*p+2 : 2*p+2]
		pair[0], pair[1] = r*(c+(c*cd-s*sd)), r*(s+(s*cd+c*sd))
	}
	if 2*whole < len(z) {
		_, cos := turns(rsie.Uniform(words[2*whole+1]))
		z[2*whole] = radius[whole] * cos
	}
}

var gaussNumbers = struct{ part128, part256 float64 }{round128th, round256th}
