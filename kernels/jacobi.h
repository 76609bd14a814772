/* The thin singular value decomposition of many matrices by one-sided Jacobi rotations: decompose of
 * factor.go of package cpu, with its order, signs and zero columns, in float32.
 *
 *	A = U diag(s) V', k = min(rows, cols)
 *
 * Each matrix has its own course, whatever stands beside it. With vectors a CPU turns VLEN matrices at a
 * time; the text for one matrix has the same operations in the same order. */
#ifndef RSIE_JACOBI_H
#define RSIE_JACOBI_H

#include "access.h"
#include "simd.h"

#define JACOBI_SWEEPS 30
#define JACOBI_TOLERANCE 2e-7f /* cosine of the angle of two vectors that count as orthogonal */

/* The shape of a decomposition: k long vectors, of length n, and k short ones, of length k. */
typedef struct {
	int rows, cols, k, n, wide;
} rsie_oblong;

DEVICE rsie_oblong rsie_oblong_of(int rows, int cols)
{
	rsie_oblong d;
	d.rows = rows;
	d.cols = cols;
	d.wide = rows < cols;
	d.k = d.wide ? rows : cols;
	d.n = d.wide ? cols : rows;
	return d;
}

/* Element i of long vector t of a matrix. */
DEVICE float rsie_along(const rsie_oblong *d, const float *x, int t, int i)
{
	return d->wide ? x[(int64_t)t * d->cols + i] : x[(int64_t)i * d->cols + t];
}

/* a·b as the sum of four quarters, element i in quarter i mod 4. */
DEVICE float rsie_quarters(const float *a, const float *b, int n)
{
	float p0 = 0, p1 = 0, p2 = 0, p3 = 0;
	int i = 0;
	for (; i + 4 <= n; i += 4) {
		p0 = fmaf(a[i], b[i], p0);
		p1 = fmaf(a[i + 1], b[i + 1], p1);
		p2 = fmaf(a[i + 2], b[i + 2], p2);
		p3 = fmaf(a[i + 3], b[i + 3], p3);
	}
	for (; i < n; i++) p0 = fmaf(a[i], b[i], p0);
	return (p0 + p1) + (p2 + p3);
}

/* Turns a and b by an angle with the given sine and tangent of its half: written so, rounding neither
 * lengthens nor shortens them over many small turns, where the cosine is 1. */
DEVICE void rsie_turn(float *a, float *b, int n, float sin, float half)
{
	for (int i = 0; i < n; i++) {
		float x = a[i], y = b[i];
		a[i] = fmaf(-sin, fmaf(half, x, y), x);
		b[i] = fmaf(sin, fmaf(-half, y, x), y);
	}
}

/* Makes all long vectors of one matrix orthogonal and turns the short ones alike; s holds squares. */
DEVICE void rsie_sweeps_of_one(const rsie_oblong *d, float *along, float *across, float *s)
{
	const int k = d->k, n = d->n;
	int rotated = 1;
	for (int sweep = 0; rotated && sweep < JACOBI_SWEEPS; sweep++) {
		rotated = 0;
		for (int t = 0; t < k; t++) s[t] = rsie_quarters(along + t * n, along + t * n, n);
		for (int p = 0; p + 1 < k; p++)
			for (int q = p + 1; q < k; q++) {
				float ab = rsie_quarters(along + p * n, along + q * n, n), aa = s[p], bb = s[q];
				if (!(fabsf(ab) > JACOBI_TOLERANCE * sqrtf(aa * bb))) continue;
				float gap = bb - aa, root = sqrtf(fmaf(gap, gap, 4.0f * (ab * ab)));
				float t = 2.0f * ab / (gap < 0.0f ? gap - root : gap + root);
				float cos = 1.0f / sqrtf(fmaf(t, t, 1.0f)), sin = cos * t, half = sin / (1.0f + cos);
				s[p] = fmaf(-t, ab, aa);
				s[q] = fmaf(t, ab, bb);
				rsie_turn(along + p * n, along + q * n, n, sin, half);
				rsie_turn(across + p * k, across + q * k, k, sin, half);
				rotated = 1;
			}
	}
}

/* Divides a long vector by its length, which is returned, and makes the largest entry of the short
 * one positive. */
DEVICE float rsie_unit(float *a, int n, float *b, int k)
{
	float length = sqrtf(rsie_quarters(a, a, n)), largest = 0;
	for (int i = 0; i < k; i++)
		if (fabsf(b[i]) > fabsf(largest)) largest = b[i];
	float sign = largest < 0.0f ? -1.0f : 1.0f, scale = length > 0.0f ? sign / length : sign;
	for (int i = 0; i < n; i++) a[i] = a[i] * scale;
	for (int i = 0; i < k; i++) b[i] = b[i] * sign;
	return length;
}

/* Writes the factors of one matrix to f. */
DEVICE void rsie_decompose_one(const rsie_oblong *d, float *f, const float *x)
{
	const int k = d->k, n = d->n;
	float *s = f + k * d->rows, *along = d->wide ? s + k : f, *across = d->wide ? f : s + k;
	for (int t = 0; t < k; t++) {
		for (int i = 0; i < n; i++) along[t * n + i] = rsie_along(d, x, t, i);
		for (int i = 0; i < k; i++) across[t * k + i] = i == t ? 1.0f : 0.0f;
	}
	rsie_sweeps_of_one(d, along, across, s);
	for (int t = 0; t < k; t++) s[t] = rsie_unit(along + t * n, n, across + t * k, k);
}

#ifdef RSIE_SIMD

#ifdef __AVX512F__
typedef __mmask16 v_mask;
DEVICE v_mask v_above(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
DEVICE int v_any(v_mask m) { return m != 0; }
DEVICE vf v_pick(v_mask m, vf yes, vf no) { return (vf)_mm512_mask_blend_ps(m, no, yes); }
#else
typedef __m256 v_mask;
DEVICE v_mask v_above(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
DEVICE int v_any(v_mask m) { return _mm256_movemask_ps(m) != 0; }
DEVICE vf v_pick(v_mask m, vf yes, vf no) { return (vf)_mm256_blendv_ps(no, yes, m); }
#endif
DEVICE vf v_abs(vf x) { return (vf)((vi)x & 0x7fffffff); }
DEVICE vf v_sqrt(vf x) { return (vf)MM(sqrt)(x); }

/* As rsie_quarters; element i of a vector stands at i VLEN. */
DEVICE vf v_quarters(const float *a, const float *b, int n)
{
	vf p0 = v_all(0), p1 = p0, p2 = p0, p3 = p0;
	int i = 0;
	for (; i + 4 <= n; i += 4, a += 4 * VLEN, b += 4 * VLEN) {
		p0 = v_fma(v_load(a), v_load(b), p0);
		p1 = v_fma(v_load(a + VLEN), v_load(b + VLEN), p1);
		p2 = v_fma(v_load(a + 2 * VLEN), v_load(b + 2 * VLEN), p2);
		p3 = v_fma(v_load(a + 3 * VLEN), v_load(b + 3 * VLEN), p3);
	}
	for (; i < n; i++, a += VLEN, b += VLEN) p0 = v_fma(v_load(a), v_load(b), p0);
	return (p0 + p1) + (p2 + p3);
}

/* One element of rsie_turn where it is needed; returns that of a. */
DEVICE vf v_turn_element(float *a, float *b, v_mask needed, vf sin, vf half)
{
	vf x = v_load(a), y = v_load(b), turned = v_pick(needed, v_fma(-sin, v_fma(half, x, y), x), x);
	v_store(a, turned);
	v_store(b, v_pick(needed, v_fma(sin, v_fma(-half, y, x), y), y));
	return turned;
}

DEVICE void v_turn(float *a, float *b, int n, v_mask needed, vf sin, vf half)
{
#pragma GCC unroll 4
	for (int i = 0; i < n; i++) v_turn_element(a + i * VLEN, b + i * VLEN, needed, sin, half);
}

/* As v_turn; returns v_quarters of a and the next vector, without another pass over a. */
DEVICE vf v_turn_along(float *a, float *b, const float *next, int n, v_mask needed, vf sin, vf half)
{
	vf p[4] = {v_all(0), v_all(0), v_all(0), v_all(0)};
	int i = 0;
	for (; i + 4 <= n; i += 4) {
#pragma GCC unroll 4
		for (int e = 0; e < 4; e++)
			p[e] = v_fma(v_turn_element(a + (i + e) * VLEN, b + (i + e) * VLEN, needed, sin, half),
				v_load(next + (i + e) * VLEN), p[e]);
	}
	for (; i < n; i++)
		p[0] = v_fma(v_turn_element(a + i * VLEN, b + i * VLEN, needed, sin, half), v_load(next + i * VLEN), p[0]);
	return (p[0] + p[1]) + (p[2] + p[3]);
}

static __attribute__((noinline)) void rsie_sweeps(const rsie_oblong *d, float *along, float *across, float *s)
{
	const int k = d->k, n = d->n;
	int rotated = 1;
	for (int sweep = 0; rotated && sweep < JACOBI_SWEEPS; sweep++) {
		rotated = 0;
		for (int t = 0; t < k; t++) v_store(s + t * VLEN, v_quarters(along + t * n * VLEN, along + t * n * VLEN, n));
		for (int p = 0; p + 1 < k; p++) {
			float *a = along + p * n * VLEN, *b = a + n * VLEN;
			vf product = v_quarters(a, b, n);
			for (int q = p + 1; q < k; q++, b += n * VLEN) {
				const float *next = q + 1 < k ? b + n * VLEN : b;
				vf ab = product, aa = v_load(s + p * VLEN), bb = v_load(s + q * VLEN);
				v_mask needed = v_above(v_abs(ab), JACOBI_TOLERANCE * v_sqrt(aa * bb));
				if (!v_any(needed)) {
					product = v_quarters(a, next, n);
					continue;
				}
				vf gap = bb - aa, root = v_sqrt(v_fma(gap, gap, 4.0f * (ab * ab)));
				vf t = 2.0f * ab / v_where_less(gap, v_all(0), gap - root, gap + root);
				vf cos = 1.0f / v_sqrt(v_fma(t, t, v_all(1))), sin = cos * t, half = sin / (1.0f + cos);
				v_store(s + p * VLEN, v_pick(needed, v_fma(-t, ab, aa), aa));
				v_store(s + q * VLEN, v_pick(needed, v_fma(t, ab, bb), bb));
				product = v_turn_along(a, b, next, n, needed, sin, half);
				v_turn(across + p * k * VLEN, across + q * k * VLEN, k, needed, sin, half);
				rotated = 1;
			}
		}
	}
}

/* Writes the factors of at most VLEN matrices: f[l] of x[l]. room holds VLEN times the factors of one. */
static void rsie_decompose_some(const rsie_oblong *d, float *const *f, const float *const *x, int count, float *room)
{
	const int k = d->k, n = d->n;
	float *along = room, *across = along + k * n * VLEN, *s = across + k * k * VLEN;
	for (int l = 0; l < VLEN; l++)
		for (int t = 0; t < k; t++) {
			for (int i = 0; i < n; i++) along[(t * n + i) * VLEN + l] = l < count ? rsie_along(d, x[l], t, i) : 0.0f;
			for (int i = 0; i < k; i++) across[(t * k + i) * VLEN + l] = i == t ? 1.0f : 0.0f;
		}
	rsie_sweeps(d, along, across, s);
	for (int l = 0; l < count; l++) {
		float *own = f[l] + k * d->rows, *u = d->wide ? own + k : f[l], *v = d->wide ? f[l] : own + k;
		for (int i = 0; i < k * n; i++) u[i] = along[i * VLEN + l];
		for (int i = 0; i < k * k; i++) v[i] = across[i * VLEN + l];
		for (int t = 0; t < k; t++) own[t] = rsie_unit(u + t * n, n, v + t * k, k);
	}
}
#endif
#endif
