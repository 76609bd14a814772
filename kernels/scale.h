/* svd mutation: singular values of the matrices of a child are scaled, vectors get noise; the twin
 * is scaleFactors in mutate.go of package cpu. */
#ifndef RSIE_SCALE_H
#define RSIE_SCALE_H

#include "cross.h"
#include "jacobi.h"

DEVICE int rsie_hit(rsie_address a, int j, uint32_t limit)
{
	return rsie_element(a, (uint32_t)j, STREAM_MUTATE_MASK) >> 8 < limit;
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
				rsie_oblong d = rsie_oblong_of(b->rows, b->cols);
				rsie_decompose_one(&d, f, x + b->offset);
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
