/* rsie-math/1: the arithmetic of every kernel, the same bits from C and from CUDA. */
#ifndef RSIE_MATH_H
#define RSIE_MATH_H

#include "lanes.h"
#include <math.h>
#include <stdint.h>

typedef struct {
	uint32_t w[4];
} rsie_quad;

/* Philox4x32-10. Source: J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011. */
DEVICE rsie_quad rsie_philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1)
{
	for (int round = 0; round < 10; round++) {
		uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
		uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
		c1 = (uint32_t)p1;
		c3 = (uint32_t)p0;
		c0 = n0;
		c2 = n2;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	rsie_quad out = {{c0, c1, c2, c3}};
	return out;
}

/* rsie.Uniform and rsie.Below. */
DEVICE float rsie_uniform(uint32_t w) { return ((float)(w >> 8) + 0.5f) * 0x1p-24f; }
DEVICE uint32_t rsie_below(uint32_t w, uint32_t n) { return (uint32_t)(((uint64_t)w * n) >> 32); }

/* PLACEHOLDERS until the real ones stand here. */
DEVICE float rsie_exp(float x) { return expf(x); }
DEVICE float rsie_log(float x) { return logf(x); }
DEVICE float rsie_tanh(float x) { return tanhf(x); }
DEVICE float rsie_sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
DEVICE void rsie_sincos(float x, float *s, float *c) { *s = sinf(x); *c = cosf(x); }
DEVICE void rsie_turns(float u, float *s, float *c) { rsie_sincos(6.2831853f * u, s, c); }
DEVICE double rsie_exp64(double x) { return exp(x); }
DEVICE double rsie_log64(double x) { return log(x); }
DEVICE double rsie_pow64(double x, double y) { return pow(x, y); }

/* Four normals of four words, by Box and Muller. */
DEVICE void rsie_gauss(rsie_quad q, float z[4])
{
	float r0 = sqrtf(-2.0f * rsie_log(rsie_uniform(q.w[0]))), r1 = sqrtf(-2.0f * rsie_log(rsie_uniform(q.w[2])));
	float s, c;
	rsie_turns(rsie_uniform(q.w[1]), &s, &c);
	z[0] = r0 * c;
	z[1] = r0 * s;
	rsie_turns(rsie_uniform(q.w[3]), &s, &c);
	z[2] = r1 * c;
	z[3] = r1 * s;
}

/* Where the draws of a member stand; a stream and an element complete it. */
typedef struct {
	uint32_t k0, k1, member, generation, run;
} rsie_address;

DEVICE rsie_quad rsie_words(rsie_address a, uint32_t block, uint32_t stream)
{
	return rsie_philox(block, a.member, a.generation, a.run << 8 | stream, a.k0, a.k1);
}

DEVICE uint32_t rsie_element(rsie_address a, uint32_t j, uint32_t stream)
{
	return rsie_words(a, j >> 2, stream).w[j & 3];
}

/* Fills z[0..n) with normals: element j is word j mod 4 of block j/4. */
DEVICE void rsie_normals(float *z, int n, rsie_address a, uint32_t stream)
{
	EACH(b, 0, (n + 3) / 4) {
		float four[4];
		rsie_gauss(rsie_words(a, (uint32_t)b, stream), four);
		for (int k = 0; k < 4; k++)
			if (4 * b + k < n) z[4 * b + k] = four[k];
	}
	SYNC;
}

/* Fills u[0..n) with lower + (upper - lower) * uniform. */
DEVICE void rsie_uniforms(float *u, int n, rsie_address a, uint32_t stream, float lower, float upper)
{
	EACH(b, 0, (n + 3) / 4) {
		rsie_quad q = rsie_words(a, (uint32_t)b, stream);
		for (int k = 0; k < 4; k++)
			if (4 * b + k < n) u[4 * b + k] = fmaf(upper - lower, rsie_uniform(q.w[k]), lower);
	}
	SYNC;
}

/* The number of 24-bit values whose uniform lies below a probability: w >> 8 < limit is an event
 * of that probability to 2^-24. */
DEVICE uint32_t rsie_limit(double probability)
{
	double v = ceil(probability * 16777216.0 - 0.5);
	return (uint32_t)(v < 0 ? 0 : v > 16777216.0 ? 16777216.0 : v);
}

/* The order of fitness as an unsigned number: ascending, NaN last. */
DEVICE uint32_t rsie_orderable(float f)
{
	union { float f; uint32_t u; } v;
	v.f = f;
	if (f != f) return 0xFFFFFFFFu;
	if (f == 0) v.u = 0; /* -0 and 0 are equal */
	return v.u & 0x80000000u ? ~v.u : v.u | 0x80000000u;
}
#endif
