/* forward.h on vectors of samples: a few outputs of two vectors of samples at a time stay in
 * registers from the bias to the activation. Every output has the same sums in the same order, so
 * the bits are those of forward.h. */
#ifndef RSIE_FORWARD_SIMD_H
#define RSIE_FORWARD_SIMD_H

#include "forward.h"
#include "simd.h"

#ifdef RSIE_SIMD

/* Outputs whose sums fit into the registers with two vectors each. */
#define MOST_OUTPUTS (VLEN == 16 ? 8 : 6)
/* Two inputs a turn, where the registers are enough: measured, 12 % of a small network. */
#if VLEN == 16
#define INPUTS_A_TURN _Pragma("GCC unroll 2")
#else
#define INPUTS_A_TURN _Pragma("GCC unroll 1")
#endif

DEVICE vf v_sigmoid(vf x)
{
	float t[VLEN];
	v_store(t, x);
	for (int i = 0; i < VLEN; i++) t[i] = rsie_sigmoid(t[i]);
	return v_load(t);
}

DEVICE vf v_activate(vf x, int act)
{
	if (act == ACT_TANH) return v_tanh(x);
	if (act == ACT_SIGMOID) return v_sigmoid(x);
	if (act == ACT_RELU) return v_where_less(x, v_all(0), v_all(0), x);
	return x;
}

/* Rows y[q][TILE], q < n, of a layer; vectors is 1 or 2; n and vectors are constants. */
DEVICE void rsie_rows(const float *b, const rsie_feed *feeds, int count, int act, float *y, const int n, const int vectors)
{
	vf a[MOST_OUTPUTS][2];
#pragma GCC unroll 8
	for (int q = 0; q < n; q++)
		a[q][0] = a[q][1] = v_all(b[q]);
	for (int f = 0; f < count; f++) {
		const float *x = feeds[f].x, *w = feeds[f].w;
		const int64_t stride = feeds[f].stride;
		INPUTS_A_TURN
		for (int k = feeds[f].in; k > 0; k--, x += TILE, w += stride) {
			vf x0 = v_load(x), x1 = vectors > 1 ? v_load(x + VLEN) : x0;
#pragma GCC unroll 8
			for (int q = 0; q < n; q++) {
				vf s = v_all(w[q]);
				a[q][0] = v_fma(s, x0, a[q][0]);
				if (vectors > 1) a[q][1] = v_fma(s, x1, a[q][1]);
			}
		}
	}
#define FINISH(act) \
	_Pragma("GCC unroll 8") for (int q = 0; q < n; q++) { \
		v_store(y + q * TILE, v_activate(a[q][0], act)); \
		if (vectors > 1) v_store(y + q * TILE + VLEN, v_activate(a[q][1], act)); \
	}
	if (act == ACT_TANH) FINISH(ACT_TANH)
	else if (act == ACT_SIGMOID) FINISH(ACT_SIGMOID)
	else if (act == ACT_RELU) FINISH(ACT_RELU)
	else FINISH(ACT_LINEAR)
#undef FINISH
}

typedef void (*rsie_rows_of)(const float *, const rsie_feed *, int, int, float *);

#define ROWS(n) \
	static __attribute__((noinline)) void rows_##n##_1(const float *b, const rsie_feed *f, int count, int act, float *y) \
	{ \
		rsie_rows(b, f, count, act, y, n, 1); \
	} \
	static __attribute__((noinline)) void rows_##n##_2(const float *b, const rsie_feed *f, int count, int act, float *y) \
	{ \
		rsie_rows(b, f, count, act, y, n, 2); \
	}
ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if VLEN == 16
ROWS(7) ROWS(8)
#endif
#undef ROWS

static const rsie_rows_of rsie_rows_by_size[2][MOST_OUTPUTS] = {
	{rows_1_1, rows_2_1, rows_3_1, rows_4_1, rows_5_1, rows_6_1,
#if VLEN == 16
	 rows_7_1, rows_8_1
#endif
	},
	{rows_1_2, rows_2_2, rows_3_2, rows_4_2, rows_5_2, rows_6_2,
#if VLEN == 16
	 rows_7_2, rows_8_2
#endif
	},
};

/* y [out][TILE] in groups of almost equal size. */
static void rsie_rows_all(const float *b, const rsie_feed *feeds, int count, int out, int act, float *y, int vectors)
{
	int groups = (out + MOST_OUTPUTS - 1) / MOST_OUTPUTS;
	rsie_feed f[2];
	for (int i = 0; i < count; i++) f[i] = feeds[i];
	for (int g = 0, from = 0; g < groups; g++) {
		int to = out * (g + 1) / groups;
		rsie_rows_by_size[vectors - 1][to - from - 1](b + from, f, count, act, y + (int64_t)from * TILE);
		for (int i = 0; i < count; i++) f[i].w += to - from;
		from = to;
	}
}

/* Outputs of the layers from the given one on, whose inputs x stand in the second half of room where
 * they are not those of the program. */
static float *rsie_tile_dense(const rsie_program *p, const float *point, const float *x, int first, float *room, int vectors)
{
	float *y = room, *other = room + p->widest * TILE;
	for (int i = first; i < p->layer_count; i++) {
		const rsie_layer *l = &p->layers[i];
		rsie_feed f = {x, point + l->w, l->in, TILE, l->out};
		rsie_rows_all(point + l->b, &f, 1, l->out, l->act, y, vectors);
		float *done = y;
		y = other;
		other = done;
		x = done;
	}
	return other;
}

static float *rsie_tile_elman(const rsie_program *p, const float *point, const float *x, float *room, int vectors)
{
	int in = p->layers[0].in, h = p->layers[0].out, out = p->outputs;
	const float *wh = point + in * h, *bh = wh + h * h, *wo = bh + h;
	float *state = room, *next = room + p->widest * TILE;
	for (int t = 0; t < p->steps; t++) {
		rsie_feed f[2] = {{x + (int64_t)t * in * TILE, point, in, TILE, h}, {state, wh, h, TILE, h}};
		rsie_rows_all(bh, f, t > 0 ? 2 : 1, h, p->layers[0].act, next, vectors);
		float *done = next;
		next = state;
		state = done;
	}
	rsie_feed f = {state, wo, h, TILE, out};
	rsie_rows_all(wo + h * out, &f, 1, out, ACT_LINEAR, next, vectors);
	return next;
}

static float *rsie_tile_gru(const rsie_program *p, const float *point, const float *x, float *room, int vectors)
{
	int in = p->layers[0].in, h = p->layers[0].out, out = p->outputs, cols = 3 * h, n = vectors * VLEN;
	const float *wh = point + in * cols, *b = wh + h * cols, *wo = b + cols;
	float *state = room, *gates = room + p->widest * TILE, *gated = gates + p->widest * TILE;
	float *candidate = gates + 2 * h * TILE;
	for (int i = 0; i < h * TILE; i++) state[i] = 0;
	for (int t = 0; t < p->steps; t++) {
		rsie_feed f[2] = {{x + (int64_t)t * in * TILE, point, in, TILE, cols}, {state, wh, h, TILE, cols}};
		rsie_rows_all(b, f, 2, 2 * h, ACT_SIGMOID, gates, vectors);
		for (int i = 0; i < h; i++)
			for (int s = i * TILE; s < i * TILE + n; s += VLEN)
				v_store(gated + s, v_load(gates + h * TILE + s) * v_load(state + s));
		f[0].w += 2 * h;
		f[1].x = gated;
		f[1].w += 2 * h;
		rsie_rows_all(b + 2 * h, f, 2, h, ACT_TANH, candidate, vectors);
		for (int i = 0; i < h; i++)
			for (int s = i * TILE; s < i * TILE + n; s += VLEN) {
				vf z = v_load(gates + s);
				v_store(state + s, v_fma(z, v_load(state + s), (1.0f - z) * v_load(candidate + s)));
			}
	}
	rsie_feed f = {state, wo, h, TILE, out};
	rsie_rows_all(wo + h * out, &f, 1, out, ACT_LINEAR, gates, vectors);
	return gates;
}

#include "forward_sparse.h"

/* Returns outputs [out][TILE] of the samples from s on, one or two vectors. */
static float *rsie_tile(const rsie_program *p, const float *point, int s, int vectors, int sparse, float *room)
{
	if (sparse) return rsie_tile_sparse(p, point, s, vectors, room);
	const float *x = p->inputs + (int64_t)(s / TILE) * TILE * p->steps * p->layers[0].in + s % TILE;
	if (p->network == NET_ELMAN) return rsie_tile_elman(p, point, x, room, vectors);
	if (p->network == NET_GRU) return rsie_tile_gru(p, point, x, room, vectors);
	return rsie_tile_dense(p, point, x, 0, room, vectors);
}

/* The losses of the samples from s on, outputs o. */
DEVICE void rsie_tile_loss(const rsie_program *p, const float *o, int s, const int vectors, vf *loss)
{
	const int out = p->outputs;
	vf sum[2] = {v_all(0), v_all(0)}, peak[2], own[2];
	if (p->loss == LOSS_MEAN_SQUARED) {
		const float *t = p->targets + (int64_t)(s / TILE) * TILE * out + s % TILE;
		for (int j = 0; j < out; j++)
			for (int v = 0; v < vectors; v++) {
				vf d = v_load(o + j * TILE + v * VLEN) - v_load(t + j * TILE + v * VLEN);
				sum[v] = v_fma(d, d, sum[v]);
			}
		for (int v = 0; v < vectors; v++) loss[v] = sum[v];
		return;
	}
	for (int v = 0; v < vectors; v++) own[v] = peak[v] = v_load(o + v * VLEN);
	for (int j = 1; j < out; j++)
		for (int v = 0; v < vectors; v++) {
			vf y = v_load(o + j * TILE + v * VLEN);
			vi class = *(const vi *)(p->classes + s + v * VLEN);
			peak[v] = v_max(y, peak[v]);
			own[v] = v_where_equal(class, (vi){} + j, y, own[v]);
		}
	for (int j = 0; j < out; j++)
		for (int v = 0; v < vectors; v++) sum[v] = sum[v] + v_exp_falling(v_load(o + j * TILE + v * VLEN) - peak[v]);
	for (int v = 0; v < vectors; v++) loss[v] = v_log_sum(sum[v]) - (own[v] - peak[v]);
}

/* How many vectors of samples come next. */
DEVICE int rsie_vectors(const rsie_program *p, int s) { return p->samples - s > VLEN ? 2 : 1; }

static float rsie_simd_losses(const rsie_program *p, const float *point, float *room)
{
	float leaf[LANES] __attribute__((aligned(64)));
	vi lane;
	int sparse = rsie_is_sparse(p, point);
	for (int l = 0; l < LANES; l++) leaf[l] = 0;
	for (int l = 0; l < VLEN; l++) lane[l] = l;
	for (int s = 0; s < p->samples; s += 2 * VLEN) {
		vf loss[2];
		int vectors = rsie_vectors(p, s);
		const float *o = rsie_tile(p, point, s, vectors, sparse, room);
		if (vectors > 1) rsie_tile_loss(p, o, s, 2, loss);
		else rsie_tile_loss(p, o, s, 1, loss);
		for (int v = 0; v < vectors; v++) {
			float *to = leaf + s % LANES + v * VLEN;
			vf left = __builtin_convertvector(p->samples - s - v * VLEN - lane, vf); /* above 0: a sample */
			v_store(to, v_load(to) + v_where_less(v_all(0), left, loss[v], v_all(0)));
		}
	}
	return rsie_tree(leaf);
}

static void rsie_simd_outputs(const rsie_program *p, const float *point, float *room, float *to)
{
	for (int s = 0; s < p->samples; s += 2 * VLEN) {
		int vectors = rsie_vectors(p, s), end = p->samples - s < 2 * VLEN ? p->samples - s : 2 * VLEN;
		const float *o = rsie_tile(p, point, s, vectors, 0, room);
		for (int l = 0; l < end; l++)
			for (int j = 0; j < p->outputs; j++) to[(int64_t)(s + l) * p->outputs + j] = o[j * TILE + l];
	}
}
#endif
#endif
