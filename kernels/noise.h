/* The noise of the samples of a distribution; the twin is noise.go of package cpu. */
#ifndef RSIE_NOISE_H
#define RSIE_NOISE_H

#include "access.h"

/* The number of independent samples of a generation. */
DEVICE int rsie_samples_of(const rsie_run *t)
{
	int n = (int)(t->eval_to - t->eval_from);
	return t->flags & FLAG_MIRRORED ? (n + 1) / 2 : n;
}

/* The squared length of v. */
DEVICE float rsie_squared(const rsie_call *c, const float *v)
{
	float sum;
	SUM(sum, j, 0, c->dim, acc, fmaf(v[j], v[j], acc));
	return sum;
}

/* How many normals the noise of a block takes under low-rank sampling. */
DEVICE int rsie_draws_of(const rsie_block *b)
{
	return b->rows + b->cols < b->rows * b->cols ? b->rows + b->cols : b->rows * b->cols;
}

/* Fills z with a b^T for each matrix, and with normals for each vector: see products of the twin. */
DEVICE void rsie_products(const rsie_call *c, float *z, float *f, rsie_address a)
{
	int n = 0;
	for (int k = 0; k < c->block_count; k++) n += rsie_draws_of(&c->blocks[k]);
	rsie_normals(f, n, a, STREAM_SAMPLE);
	for (int k = 0; k < c->block_count; k++) {
		const rsie_block *b = &c->blocks[k];
		int count = rsie_draws_of(b), size = b->rows * b->cols, cols = b->cols;
		float *to = z + b->offset;
		const float *w = f + b->rows;
		if (count == size)
			EACH(j, 0, size) to[j] = f[j];
		else
			for (int i = 0; i < b->rows; i++) {
				float v = f[i];
				EACH(j, 0, cols) to[i * cols + j] = v * w[j];
			}
		f += count;
	}
	SYNC;
}

DEVICE uint32_t rsie_reversed(uint32_t x)
{
	x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
	x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
	x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
	x = (x >> 8 & 0x00ff00ffu) | (x & 0x00ff00ffu) << 8;
	return x >> 16 | x << 16;
}

/* Permutes the binary digits of x, each depending on those above it and the seed. */
DEVICE uint32_t rsie_scramble(uint32_t x, uint32_t seed)
{
	x = rsie_reversed(x);
	x ^= x * 0x3d20adeau;
	x += seed;
	x *= seed >> 16 | 1u;
	x ^= x * 0x05526c56u;
	x ^= x * 0x53a22864u;
	return rsie_reversed(x);
}

/* The quantile function of the normal distribution at (x + 1/2)/2^32.
 * Source: M. Wichura, The percentage points of the normal distribution, Applied Statistics 37,
 * 1988, algorithm AS 241 (PPND16). */
DEVICE float rsie_quantile(uint32_t x)
{
	double q = ((double)x + 0.5) * 0x1p-32 - 0.5, size = q < 0 ? -q : q, r, n, d;
	if (size <= 0.425) {
		r = 0.180625 - q * q;
		n = ((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r +
			45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r +
			133.14166789178437745) * r + 3.3871328727963666080;
		d = ((((((5226.4952788528545610 * r + 28729.085735721942674) * r + 39307.895800092710610) * r +
			21213.794301586595867) * r + 5394.1960214247511077) * r + 687.18700749205790830) * r +
			42.313330701600911252) * r + 1.0;
		return (float)(q * n / d);
	}
	r = sqrt(-rsie_log64(0.5 - size)) - 1.6; /* at most 4.8 - 1.6: the third branch is for smaller tails */
	n = ((((((7.74545014278341407640e-4 * r + 0.0227238449892691845833) * r + 0.241780725177450611770) * r +
		1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.76949722146069140550) * r +
		4.63033784615654529590) * r + 1.42343711074968357734;
	d = ((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r +
		0.148103976427480074590) * r + 0.689767334985100004550) * r + 1.67638483018380384940) * r +
		2.05319162663775882187) * r + 1.0;
	return (float)(q < 0 ? -(n / d) : n / d);
}

#define SOBOL_DIMENSIONS 256

/* Fills z with point index of a scrambled Sobol sequence through the normal quantile function: see
 * sobolNormals of the twin. */
DEVICE void rsie_sobol(const rsie_call *c, float *z, const rsie_run *t, uint32_t index)
{
	rsie_address dims = rsie_address_of(t, 0), shuffles = rsie_address_of(t, 1);
	uint32_t mask = 0, last = (uint32_t)(rsie_samples_of(t) - 1);
	while (mask < last) mask = mask << 1 | 1u;
	EACH(b, 0, (c->dim + 3) / 4) {
		uint32_t part = (uint32_t)b * 4 / SOBOL_DIMENSIONS, at = index;
		if (part > 0) at = rsie_scramble(index, rsie_element(shuffles, part, STREAM_SCRAMBLE)) & mask;
		rsie_quad w = rsie_words(dims, (uint32_t)b, STREAM_SCRAMBLE);
		for (int k = 0; k < 4 && 4 * b + k < c->dim; k++) {
			const uint32_t *v = c->sobol + (4 * b + k) % SOBOL_DIMENSIONS * 32;
			uint32_t x = 0;
			for (int i = 0; at >> i; i++) x ^= at >> i & 1u ? v[i] : 0u;
			z[4 * b + k] = rsie_quantile(rsie_scramble(x, w.w[k]));
		}
	}
	SYNC;
}

/* Sets all but a share `density` of the noise to 0. */
DEVICE void rsie_thin(const rsie_call *c, float *z, double density, rsie_address a)
{
	uint32_t limit = rsie_limit(density);
	float factor = (float)(1 / sqrt(density));
	EACH(b, 0, (c->dim + 3) / 4) {
		rsie_quad w = rsie_words(a, (uint32_t)b, STREAM_MUTATE_MASK);
		for (int k = 0; k < 4; k++)
			if (4 * b + k < c->dim) z[4 * b + k] = w.w[k] >> 8 < limit ? z[4 * b + k] * factor : z[4 * b + k] * 0.0f;
	}
	SYNC;
}

/* Turns independent noise into that of CR-FM-NES, longer along the direction. */
DEVICE void rsie_elongate(const rsie_call *c, float *z, int r)
{
	const float *v = rsie_vector(c, r, VEC_DIRECTION);
	float length = rsie_squared(c, v), along;
	if (length == 0.0f) return;
	SUM(along, j, 0, c->dim, acc, fmaf(z[j], v[j], acc));
	float factor = (sqrtf(1.0f + length) - 1.0f) * along / length;
	EACH(j, 0, c->dim) z[j] = fmaf(factor, v[j], z[j]);
	SYNC;
}

/* Whether the noise of a run is that of rsie_normals alone. */
DEVICE int rsie_plain_noise(const rsie_run *t)
{
	return t->sampling == SAMPLE_NORMAL && !(t->density < 1) && !(t->flags & FLAG_PATH) && t->scales != SCALES_FAST_NES;
}

/* Fills z with the noise of one sample. Under orthogonal sampling z holds what orthogonalise left. */
DEVICE void rsie_noise_of(const rsie_call *c, float *z, float *f, int r, int number)
{
	const rsie_run *t = &c->runs[r];
	rsie_address a = rsie_address_of(t, number);
	if (t->sampling == SAMPLE_SOBOL)
		rsie_sobol(c, z, t, (uint32_t)(t->flags & FLAG_MIRRORED ? number : number - (int)t->eval_from));
	else if (t->sampling == SAMPLE_LOW_RANK)
		rsie_products(c, z, f, a);
	else if (t->sampling == SAMPLE_NORMAL)
		rsie_normals(z, c->dim, a, STREAM_SAMPLE);
	if (t->density < 1) rsie_thin(c, z, t->density, a);
	if (t->flags & FLAG_PATH) {
		float four[4];
		const float *path = rsie_vector(c, r, VEC_PATH);
		rsie_gauss(rsie_words(a, 0, STREAM_PATH), four);
		float along = (float)((double)four[0] * sqrt(t->cov_rank_one));
		EACH(j, 0, c->dim) z[j] = fmaf(along, path[j], z[j]);
		SYNC;
	}
	if (t->scales == SCALES_FAST_NES) rsie_elongate(c, z, r);
}
#endif
