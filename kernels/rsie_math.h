/* rsie-math/1: the arithmetic of every kernel, the same bits from C and from CUDA. */
#ifndef RSIE_MATH_H
#define RSIE_MATH_H

#include "lanes.h"
#include <math.h>
#include <stdint.h>

#if !defined(__CUDACC__)
/* Neither sets errno here: without this GCC ignores no-math-errno of a pragma, and a loop with a root
 * stays scalar. */
extern float sqrtf(float) __attribute__((const));
extern double sqrt(double) __attribute__((const));
#endif

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

/* The functions below are rational steps without branches or tables, so that a loop over them
 * becomes vector code and any machine gives the same bits. fmaf stands where one rounding is
 * meant. The coefficients are minimax fits (Remez). An error in ulp is the distance to the true
 * value in units of the last place of the nearest float; go test ./kernels -run Accuracy measures
 * a part of the inputs, RSIE_FULL_SCAN=1 all 2^32 floats. NaN gives NaN. */

#if defined(__CUDACC__)
#define RSIE_INFINITY __int_as_float(0x7f800000)
#define RSIE_NAN __int_as_float(0x7fffffff)
#define RSIE_INFINITY64 __longlong_as_double(0x7ff0000000000000LL)
#define RSIE_NAN64 __longlong_as_double(0x7fffffffffffffffLL)
#else
#define RSIE_INFINITY __builtin_inff()
#define RSIE_NAN __builtin_nanf("")
#define RSIE_INFINITY64 __builtin_inf()
#define RSIE_NAN64 __builtin_nan("")
#endif

DEVICE uint32_t rsie_bits(float x)
{
	union { float f; uint32_t u; } v;
	v.f = x;
	return v.u;
}

DEVICE float rsie_float(uint32_t u)
{
	union { float f; uint32_t u; } v;
	v.u = u;
	return v.f;
}

DEVICE uint64_t rsie_bits64(double x)
{
	union { double f; uint64_t u; } v;
	v.f = x;
	return v.u;
}

DEVICE double rsie_double(uint64_t u)
{
	union { double f; uint64_t u; } v;
	v.u = u;
	return v.f;
}

/* Adding it rounds a float of size below 2^22 to a whole number, which then stands in the low bits;
 * shifted left by 23 bits it is 0. */
#define RSIE_WHOLE 12582912.0f
#define RSIE_WHOLE64 6755399441055744.0

/* Coefficients, by power. */
#define RSIE_EXP_LOW -87.336544f
#define RSIE_EXP_C2 0.499999930526f
#define RSIE_EXP_C3 0.166665147929f
#define RSIE_EXP_C4 0.0416684562088f
#define RSIE_EXP_C5 0.00836941876183f
#define RSIE_EXP_C6 0.00138131798979f
#define RSIE_LOG_C2 0.333333167182f
#define RSIE_LOG_C3 -0.250008101879f
#define RSIE_LOG_C4 0.200022869872f
#define RSIE_LOG_C5 -0.166245600434f
#define RSIE_LOG_C6 0.141811768001f
#define RSIE_LOG_C7 -0.131286954497f
#define RSIE_LOG_C8 0.128817378942f
#define RSIE_LOG_C9 -0.0785985582061f
#define RSIE_TANH_ONE 0x1.201c28p+3f
#define RSIE_TANH_P4 0x1.19236p-6f
#define RSIE_TANH_P3 0x1.a84aacp+4f
#define RSIE_TANH_P2 0x1.19575cp+12f
#define RSIE_TANH_P1 0x1.50ab56p+17f
#define RSIE_TANH_Q3 0x1.a6f83ap+8f
#define RSIE_TANH_Q2 0x1.0464d8p+15f
#define RSIE_TANH_Q1 0x1.25db28p+19f
#define RSIE_TANH_PQ0 0x1.3a8888p+20f

/* exp(x): within 1.0 ulp; above 88.722832 infinity, below -87.336544 (where results would have fewer
 * bits) 0. With n the nearest whole number to x/ln 2 and r the rest, exp(x) = 2^n exp(r). */
DEVICE float rsie_exp(float x)
{
	float t = fmaf(x, 1.44269504f, RSIE_WHOLE), n = t - RSIE_WHOLE;
	float r = fmaf(n, -0x1.62e43p-1f, x);
	r = fmaf(n, 0x1.05c61p-29f, r);
	float p = fmaf(RSIE_EXP_C6, r, RSIE_EXP_C5);
	p = fmaf(p, r, RSIE_EXP_C4);
	p = fmaf(p, r, RSIE_EXP_C3);
	p = fmaf(p, r, RSIE_EXP_C2);
	p = fmaf(p, r * r, r) + 1.0f;
	float y = rsie_float(rsie_bits(p) + (rsie_bits(t) << 23));
	y = x <= 0x1.62e42ep+6f ? y : x * RSIE_INFINITY;
	return x < RSIE_EXP_LOW ? 0.0f : y;
}

/* e ln 2 + ln(1 + f), for 1 + f within a factor of sqrt(2) of 1. */
DEVICE float rsie_log_of(float e, float f)
{
	float z = f * f;
	float p = fmaf(RSIE_LOG_C9, f, RSIE_LOG_C8);
	p = fmaf(p, f, RSIE_LOG_C7);
	p = fmaf(p, f, RSIE_LOG_C6);
	p = fmaf(p, f, RSIE_LOG_C5);
	p = fmaf(p, f, RSIE_LOG_C4);
	p = fmaf(p, f, RSIE_LOG_C3);
	p = fmaf(p, f, RSIE_LOG_C2);
	p = fmaf(p, f, -0.5f);
	p = fmaf(e, -0x1.05c61p-29f, p * z);
	return fmaf(e, 0x1.62e43p-1f, f + p);
}

/* ln(x): within 1.0 ulp; ln(0) = -infinity, of less than 0 NaN. */
DEVICE float rsie_log(float x)
{
	float big = x < 0x1p-126f ? x * 0x1p23f : x, lift = x < 0x1p-126f ? 23.0f : 0.0f;
	uint32_t high = rsie_bits(big) - 0x3f3504f3u;
	float y = rsie_log_of((float)((int32_t)high >> 23) - lift, rsie_float((high & 0x7fffffu) + 0x3f3504f3u) - 1.0f);
	y = x < RSIE_INFINITY ? y : x;
	y = x < 0.0f ? RSIE_NAN : y;
	return x == 0.0f ? -RSIE_INFINITY : y;
}

/* rsie_exp of x <= 0, same bits, with less to look after. */
DEVICE float rsie_exp_falling(float x)
{
	float t = fmaf(x, 1.44269504f, RSIE_WHOLE), n = t - RSIE_WHOLE;
	float r = fmaf(n, -0x1.62e43p-1f, x);
	r = fmaf(n, 0x1.05c61p-29f, r);
	float p = fmaf(RSIE_EXP_C6, r, RSIE_EXP_C5);
	p = fmaf(p, r, RSIE_EXP_C4);
	p = fmaf(p, r, RSIE_EXP_C3);
	p = fmaf(p, r, RSIE_EXP_C2);
	p = fmaf(p, r * r, r) + 1.0f;
	return x < RSIE_EXP_LOW ? 0.0f : p * rsie_float((rsie_bits(t) << 23) + 0x3f800000u);
}

/* rsie_log of a finite x >= 1, same bits. */
DEVICE float rsie_log_sum(float x)
{
	uint32_t high = rsie_bits(x) - 0x3f3504f3u;
	float y = rsie_log_of((float)((int32_t)high >> 23), rsie_float((high & 0x7fffffu) + 0x3f3504f3u) - 1.0f);
	return fmaf(x, 0.0f, y); /* NaN stays NaN */
}

/* tanh(x): within 5 ulp, odd, at most 1 + 2^-23. A quotient of two polynomials of x^2, whose last bits
 * were searched; from 9.00344 on it is 1. */
DEVICE float rsie_tanh(float x)
{
	x = x > RSIE_TANH_ONE ? RSIE_TANH_ONE : x;
	x = x < -RSIE_TANH_ONE ? -RSIE_TANH_ONE : x;
	float u = x * x;
	float p = fmaf(RSIE_TANH_P4, u, RSIE_TANH_P3), q = u + RSIE_TANH_Q3;
	p = fmaf(p, u, RSIE_TANH_P2);
	q = fmaf(q, u, RSIE_TANH_Q2);
	p = fmaf(p, u, RSIE_TANH_P1);
	q = fmaf(q, u, RSIE_TANH_Q1);
	p = fmaf(p, u, RSIE_TANH_PQ0);
	q = fmaf(q, u, RSIE_TANH_PQ0);
	return x * p / q;
}

/* 1/(1 + exp(-x)): within 2.6 ulp; below -88.722832 it is 0. */
DEVICE float rsie_sigmoid(float x) { return 1.0f / (1.0f + rsie_exp(-x)); }

/* sin and cos of r in [-pi/4, pi/4] after q quarter turns; the low two bits of q count. */
DEVICE void rsie_quarter(float r, uint32_t q, float *s, float *c)
{
	float z = r * r;
	float a = fmaf(-0.00019510846f, z, 0.0083321315933f), b = fmaf(2.4431247375e-5f, z, -0.00138873065616f);
	a = fmaf(a, z, -0.166666542286f);
	b = fmaf(b, z, 0.0416666456678f);
	a = fmaf(a * z, r, r);
	b = fmaf(b, z, -0.5f);
	b = fmaf(b, z, 1.0f);
	float y = q & 1u ? b : a, x = q & 1u ? a : b;
	*s = rsie_float(rsie_bits(y) ^ (q & 2u) << 30);
	*c = rsie_float(rsie_bits(x) ^ ((q + 1u) & 2u) << 30);
}

/* sin(x) and cos(x): within 1.9 ulp for |x| <= 2^20, in radians; beyond, both are NaN. */
DEVICE void rsie_sincos(float x, float *s, float *c)
{
	x = fabsf(x) <= 0x1p20f ? x : RSIE_NAN;
	float t = fmaf(x, 0.636619772f, RSIE_WHOLE), n = t - RSIE_WHOLE;
	float r = fmaf(n, -0x1.921fb6p+0f, x); /* pi/2 in three parts */
	r = fmaf(n, 0x1.777a5cp-25f, r);
	r = fmaf(n, 0x1.ee59dap-50f, r);
	rsie_quarter(r, rsie_bits(t), s, c);
}

/* sin and cos of 2 pi u, u in [0, 1]: within 2 ulp, near 0 within 2^-48. */
DEVICE void rsie_turns(float u, float *s, float *c)
{
	float t = fmaf(u, 4.0f, RSIE_WHOLE);
	float r = fmaf(t - RSIE_WHOLE, -0.25f, u) * 6.28318531f; /* the difference is exact */
	rsie_quarter(r, rsie_bits(t), s, c);
}

/* exp(x): within 1.5 ulp; above 709.78271289338397 infinity, below -708.39641853226408 0. */
DEVICE double rsie_exp64(double x)
{
	double t = fma(x, 1.4426950408889634, RSIE_WHOLE64), n = t - RSIE_WHOLE64;
	double r = fma(n, -0x1.62e42fefa39efp-1, x);
	r = fma(n, -0x1.abc9e3b39803fp-56, r);
	double p = fma(2.499785023508260167e-8, r, 2.763167482544221504e-7);
	p = fma(p, r, 2.7557601249892880604e-6);
	p = fma(p, r, 2.480148940151818551e-5);
	p = fma(p, r, 0.00019841269481042074517);
	p = fma(p, r, 0.0013888888946853471886);
	p = fma(p, r, 0.0083333333335102988945);
	p = fma(p, r, 0.041666666666519507068);
	p = fma(p, r, 0.16666666666666381854);
	p = fma(p, r, 0.50000000000000116428);
	p = fma(p, r * r, r) + 1.0;
	double y = rsie_double(rsie_bits64(p) + (rsie_bits64(t) << 52));
	y = x <= 709.78271289338397 ? y : x * RSIE_INFINITY64;
	return x < -708.39641853226408 ? 0.0 : y;
}

/* ln(x): within 1.5 ulp; ln(0) = -infinity, of less than 0 NaN. With s = f/(2 + f),
 * ln(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)). */
DEVICE double rsie_log64(double x)
{
	double big = x < 0x1p-1022 ? x * 0x1p52 : x, lift = x < 0x1p-1022 ? 1075.0 : 1023.0;
	uint64_t high = rsie_bits64(big) - 0x3fe6a09e667f3bcdu + ((uint64_t)1023 << 52);
	double e = rsie_double(0x4330000000000000u | high >> 52) - 0x1p52 - lift;
	double f = rsie_double((high & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
	double s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
	double p = fma(0.14795738345505235684, z, 0.15314075580340074908);
	p = fma(p, z, 0.18183563181648372035);
	p = fma(p, z, 0.22222198598529758707);
	p = fma(p, z, 0.28571428742110072012);
	p = fma(p, z, 0.3999999999941603067);
	p = fma(p, z, 0.66666666666667342013);
	p = fma(s, fma(p, z, half), e * 0x1.abc9e3b39803fp-56) - half;
	double y = fma(e, 0x1.62e42fefa39efp-1, f + p);
	y = x < RSIE_INFINITY64 ? y : x;
	y = x < 0.0 ? RSIE_NAN64 : y;
	return x == 0.0 ? -RSIE_INFINITY64 : y;
}

/* x^y for x >= 0, as exp(y ln x): within 1.5 + |y ln x| ulp; x^0 = 1, of x < 0 NaN unless y is 0. */
DEVICE double rsie_pow64(double x, double y)
{
	double v = rsie_exp64(y * rsie_log64(x));
	return y == 0.0 ? 1.0 : v;
}

/* sqrt(-2 ln u) of the uniform u of a word. Near 1, u has no bits left to say how near; 1 - u has. */
DEVICE float rsie_radius(uint32_t w)
{
	uint32_t high = rsie_bits(rsie_uniform(w)) - 0x3f3504f3u;
	float e = (float)((int32_t)high >> 23), f = rsie_float((high & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
	float below = rsie_uniform(~w);
	return sqrtf(-2.0f * rsie_log_of(e, e == 0.0f ? -below : f));
}

/* Four normals of four words, by Box and Muller. */
DEVICE void rsie_gauss(rsie_quad q, float z[4])
{
	float r0 = rsie_radius(q.w[0]), r1 = rsie_radius(q.w[2]), s, c;
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

#if !defined(__CUDACC__) && !defined(RSIE_EMULATED) && defined(__AVX2__)
#include "philox_x86.h"
#endif

/* Fills z[0..n) with normals, element j with word j mod 4 of block first + j/4. */
DEVICE void rsie_normals_from(float *z, int first, int n, rsie_address a, uint32_t stream)
{
#if defined(RSIE_PHILOX_X86_H)
	rsie_normals_x86(z, first, n, a, stream);
#else
	EACH(b, 0, (n + 3) / 4) {
		float four[4];
		rsie_gauss(rsie_words(a, (uint32_t)(first + b), stream), four);
		for (int k = 0; k < 4; k++)
			if (4 * b + k < n) z[4 * b + k] = four[k];
	}
#endif
	SYNC;
}

/* Fills z[0..n) with normals: element j is word j mod 4 of block j/4. */
DEVICE void rsie_normals(float *z, int n, rsie_address a, uint32_t stream) { rsie_normals_from(z, 0, n, a, stream); }

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
