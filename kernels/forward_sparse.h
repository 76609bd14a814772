/* The first layer of a dense network on inputs of which most are zero, with lists of the others:
 * lanes are outputs, and a square of samples by outputs is then turned over. A product with zero
 * adds nothing, so the bits of a loss are those of forward.h as long as the weights are finite (a
 * sum that is zero may have the other sign, which no loss shows). */
#ifndef RSIE_FORWARD_SPARSE_H
#define RSIE_FORWARD_SPARSE_H

/* Reports whether point may take this path: there are lists, and its first matrix is finite. */
static int rsie_is_sparse(const rsie_program *p, const float *point)
{
	if (!p->from || p->network != NET_DENSE) return 0;
	const float *w = point + p->layers[0].w;
	float leaf[VLEN], sum = 0;
	vf zero = v_all(0);
	int n = p->layers[0].in * p->layers[0].out, i = 0;
	for (; i + VLEN <= n; i += VLEN) zero = v_fma(v_load(w + i), v_all(0), zero);
	v_store(leaf, zero);
	for (int l = 0; l < VLEN; l++) sum = sum + leaf[l];
	for (; i < n; i++) sum = fmaf(w[i], 0.0f, sum);
	return sum == 0.0f; /* NaN where one is not finite */
}

/* Two rows in turn, the first or the second halves of them. */
#if VLEN == 16
#define V_LOWER(a, b) __builtin_shuffle(a, b, (vi){0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23})
#define V_UPPER(a, b) __builtin_shuffle(a, b, (vi){8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31})
#else
#define V_LOWER(a, b) __builtin_shuffle(a, b, (vi){0, 8, 1, 9, 2, 10, 3, 11})
#define V_UPPER(a, b) __builtin_shuffle(a, b, (vi){4, 12, 5, 13, 6, 14, 7, 15})
#endif

/* Transposes a [VLEN][VLEN]: each of log2(VLEN) steps turns the bits of an index by one. */
DEVICE void v_transpose(vf *a)
{
	vf b[VLEN];
#pragma GCC unroll 4
	for (int step = 1; step < VLEN; step *= 2) {
#pragma GCC unroll 16
		for (int i = 0; i < VLEN / 2; i++) {
			b[2 * i] = V_LOWER(a[i], a[i + VLEN / 2]);
			b[2 * i + 1] = V_UPPER(a[i], a[i + VLEN / 2]);
		}
#pragma GCC unroll 16
		for (int i = 0; i < VLEN; i++) a[i] = b[i];
	}
}

/* Activations y [n][VLEN samples], rows TILE apart, of outputs [j, j + n), n <= VLEN, of the samples
 * from s on. */
static void rsie_sparse_square(const rsie_program *p, const float *point, int s, int j, int n, float *y)
{
	const rsie_layer *layer = &p->layers[0];
	const float *w = point + layer->w + j;
	const int32_t *from = p->from + s;
	vf a[VLEN], bias = v_load_some(point + layer->b + j, n);
	for (int l = 0; l < VLEN; l++) {
		vf sum = bias;
		for (int e = from[l]; e < from[l + 1]; e++)
			sum = v_fma(v_all(p->value[e]), v_load_some(w + p->at[e] * layer->out, n), sum);
		a[l] = sum;
	}
	v_transpose(a);
	for (int q = 0; q < n; q++) v_store(y + q * TILE, a[q]);
}

static float *rsie_tile_sparse(const rsie_program *p, const float *point, int s, int vectors, float *room)
{
	const rsie_layer *layer = &p->layers[0];
	float *y = room + p->widest * TILE;
	for (int j = 0; j < layer->out; j += VLEN) {
		int n = layer->out - j < VLEN ? layer->out - j : VLEN;
		for (int v = 0; v < vectors; v++)
			rsie_sparse_square(p, point, s + v * VLEN, j, n, y + (int64_t)j * TILE + v * VLEN);
	}
	for (int j = 0; j < layer->out; j++)
		for (int v = 0; v < vectors; v++) {
			float *at = y + j * TILE + v * VLEN;
			if (layer->act == ACT_TANH) v_store(at, v_tanh(v_load(at)));
			else v_store(at, v_activate(v_load(at), layer->act));
		}
	return p->layer_count > 1 ? rsie_tile_dense(p, point, y, 1, room, vectors) : y;
}
#endif
