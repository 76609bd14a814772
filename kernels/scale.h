/* svd mutation: singular values of the matrices of a child are scaled, vectors get noise; the twin
 * is scaleFactors in mutate.go of package cpu. */
#ifndef RSIE_SCALE_H
#define RSIE_SCALE_H

#include "cross.h"

#define SCALE_SWEEPS 30
#define SCALE_TOLERANCE 1e-7 /* cosine of the angle of two vectors that count as orthogonal */

DEVICE int rsie_hit(rsie_address a, int j, uint32_t limit)
{
	return rsie_element(a, (uint32_t)j, STREAM_MUTATE_MASK) >> 8 < limit;
}

DEVICE double rsie_product(const float *a, const float *b, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++) sum += (double)a[i] * b[i];
	return sum;
}

DEVICE void rsie_turn_pair(float *a, float *b, int n, double cos, double sin)
{
	for (int i = 0; i < n; i++) {
		double x = a[i], y = b[i];
		a[i] = (float)(cos * x - sin * y);
		b[i] = (float)(sin * x + cos * y);
	}
}

/* Makes vectors p and q of length n orthogonal, and turns those of length k alike; says whether that
 * was needed. The smaller of the two angles, as in rotation of factor.go. */
DEVICE int rsie_rotate(float *a, float *b, int n, float *c, float *d, int k)
{
	double aa = rsie_product(a, a, n), bb = rsie_product(b, b, n), ab = rsie_product(a, b, n);
	if (!(ab * ab > SCALE_TOLERANCE * SCALE_TOLERANCE * (aa * bb))) return 0;
	double difference = bb - aa, root = sqrt(difference * difference + 4 * ab * ab);
	double t = 2 * ab / (difference < 0 ? difference - root : difference + root);
	double cos = 1 / sqrt(1 + t * t);
	rsie_turn_pair(a, b, n, cos, cos * t);
	rsie_turn_pair(c, d, k, cos, cos * t);
	return 1;
}

/* Divides a long vector by its length, which is returned, and makes the largest entry of the short
 * one positive. */
DEVICE float rsie_normalise(float *a, int n, float *b, int k)
{
	double length = sqrt(rsie_product(a, a, n)), factor = length > 0 ? 1 / length : 0;
	float largest = 0;
	for (int i = 0; i < k; i++)
		if (fabsf(b[i]) > fabsf(largest)) largest = b[i];
	double sign = largest < 0 ? -1 : 1;
	for (int i = 0; i < n; i++) a[i] = (float)(a[i] * factor * sign);
	for (int i = 0; i < k; i++) b[i] = (float)(b[i] * sign);
	return (float)length;
}

/* Writes the thin singular value decomposition of x to f, by one lane: decompose of factor.go. */
DEVICE void rsie_decompose_once(float *f, const float *x, int rows, int cols)
{
	int k = rows < cols ? rows : cols, wide = rows < cols, n = wide ? cols : rows, rotated = 1;
	float *u = f, *s = f + k * rows, *v = s + k, *along = wide ? v : u, *across = wide ? u : v;
	for (int t = 0; t < k; t++) {
		for (int i = 0; i < n; i++) along[t * n + i] = wide ? x[t * cols + i] : x[i * cols + t];
		for (int i = 0; i < k; i++) across[t * k + i] = i == t;
	}
	for (int sweep = 0; rotated && sweep < SCALE_SWEEPS; sweep++) {
		rotated = 0;
		for (int p = 0; p + 1 < k; p++)
			for (int q = p + 1; q < k; q++)
				rotated |= rsie_rotate(along + p * n, along + q * n, n, across + p * k, across + q * k, k);
	}
	for (int t = 0; t < k; t++) s[t] = rsie_normalise(along + t * n, n, across + t * k, k);
}

/* x = U·diag(s)·V'; the sum runs over singular values in order. */
DEVICE void rsie_compose(float *RESTRICT x, const float *f, int rows, int cols)
{
	int k = rows < cols ? rows : cols;
	const float *u = f, *s = f + k * rows, *v = s + k;
	for (int i = 0; i < rows; i++) {
		float *RESTRICT row = x + i * cols;
		EACH(j, 0, cols) row[j] = 0;
		for (int t = 0; t < k; t++) {
			float a = u[t * rows + i] * s[t];
			const float *w = v + t * cols;
			EACH(j, 0, cols) row[j] = fmaf(a, w[j], row[j]);
		}
	}
	SYNC;
}

/* Mutates elements [low, high) of x, a vector. */
DEVICE void rsie_add_vector(float *x, int low, int high, rsie_address a, uint32_t limit, float strength)
{
	EACH(b, low >> 2, (high + 3) >> 2) {
		rsie_quad hit = rsie_words(a, (uint32_t)b, STREAM_MUTATE_MASK);
		float z[4];
		rsie_gauss(rsie_words(a, (uint32_t)b, STREAM_MUTATE), z);
		for (int e = 0; e < 4; e++) {
			int j = 4 * b + e;
			if (j >= low && j < high && hit.w[e] >> 8 < limit) x[j] = fmaf(strength, z[e], x[j]);
		}
	}
	SYNC;
}

/* Mutates row child of Next. Factors that are missing are computed first. */
DEVICE void rsie_scale(const rsie_call *c, rsie_address a, int64_t child, uint32_t limit, float strength)
{
	float *x = rsie_point(c, &c->next, child), *f = c->next.factors + child * c->factors;
	uint32_t *valid = rsie_valid(c, &c->next, child);
	for (int i = 0; i < c->block_count; i++) {
		const rsie_block *b = &c->blocks[i];
		int n = rsie_factor_size(b), k = b->rows < b->cols ? b->rows : b->cols, any = 0;
		if (n == 0) {
			rsie_add_vector(x, b->offset, b->offset + b->rows * b->cols, a, limit, strength);
			continue;
		}
		for (int t = 0; t < k && !any; t++) any = rsie_hit(a, b->offset + t, limit);
		if (any) {
			ONCE if (!valid[i]) {
				rsie_decompose_once(f, x + b->offset, b->rows, b->cols);
				valid[i] = 1;
			}
			SYNC;
			float *s = f + k * b->rows;
			EACH(t, 0, k) {
				int j = b->offset + t;
				float z[4];
				rsie_gauss(rsie_words(a, (uint32_t)j >> 2, STREAM_FACTOR), z);
				if (rsie_hit(a, j, limit)) s[t] = s[t] * rsie_exp(strength * z[j & 3]);
			}
			SYNC;
			rsie_compose(x + b->offset, f, b->rows, b->cols);
		}
		f += n;
	}
}
#endif
