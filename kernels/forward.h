/* The outputs and the loss of a network on one sample, as a lane of a block works them out; the
 * twins are dense.go and recurrent.go of package cpu, the vector form is forward_simd.h.
 *
 *	y[j] = act(b[j] + sum over k of w[k][j] x[k])    from b[j] on, k ascending, fmaf
 *
 * What a lane keeps is in columns of its own: element k of a column is at k * LANES. */
#ifndef RSIE_FORWARD_H
#define RSIE_FORWARD_H

#include "access.h"

#define OUTPUTS_AT_ONCE 8

/* Something a layer reads: x[in], elements `step` apart, with a matrix w whose rows are `stride`
 * apart. */
typedef struct {
	const float *x, *w;
	int in, step, stride;
} rsie_feed;

DEVICE float rsie_activate(float v, int act)
{
	if (act == ACT_TANH) return rsie_tanh(v);
	if (act == ACT_SIGMOID) return rsie_sigmoid(v);
	if (act == ACT_RELU) return v < 0.0f ? 0.0f : v;
	return v;
}

DEVICE void rsie_add_feed(float *a, const rsie_feed *f, int j, int n)
{
	for (int k = 0; k < f->in; k++) {
		float x = f->x[(int64_t)k * f->step];
		const float *w = f->w + (int64_t)k * f->stride + j;
		for (int q = 0; q < OUTPUTS_AT_ONCE; q++)
			if (q < n) a[q] = fmaf(w[q], x, a[q]);
	}
}

/* Fills the column y [out] from feeds. */
DEVICE void rsie_layer_of(const float *b, const rsie_feed *feeds, int count, int out, int act, float *y)
{
	for (int j = 0; j < out; j += OUTPUTS_AT_ONCE) {
		int n = out - j < OUTPUTS_AT_ONCE ? out - j : OUTPUTS_AT_ONCE;
		float a[OUTPUTS_AT_ONCE];
		for (int q = 0; q < OUTPUTS_AT_ONCE; q++) a[q] = q < n ? b[j + q] : 0.0f;
		for (int f = 0; f < count; f++) rsie_add_feed(a, &feeds[f], j, n);
		for (int q = 0; q < OUTPUTS_AT_ONCE; q++)
			if (q < n) y[(j + q) * LANES] = rsie_activate(a[q], act);
	}
}

DEVICE float *rsie_dense(const rsie_program *p, const float *point, const float *x, float *room)
{
	float *y = room, *other = room + p->widest * LANES;
	int step = TILE;
	for (int i = 0; i < p->layer_count; i++) {
		const rsie_layer *l = &p->layers[i];
		rsie_feed f = {x, point + l->w, l->in, step, l->out};
		rsie_layer_of(point + l->b, &f, 1, l->out, l->act, y);
		float *done = y;
		y = other;
		other = done;
		x = done;
		step = LANES;
	}
	return other;
}

/* h = act(bh + x Wx + h Wh), out = bo + h Wo. */
DEVICE float *rsie_elman(const rsie_program *p, const float *point, const float *x, float *room)
{
	int in = p->layers[0].in, h = p->layers[0].out, out = p->outputs;
	const float *wh = point + in * h, *bh = wh + h * h, *wo = bh + h;
	float *state = room, *next = room + p->widest * LANES;
	for (int t = 0; t < p->steps; t++) {
		rsie_feed f[2] = {{x + (int64_t)t * in * TILE, point, in, TILE, h}, {state, wh, h, LANES, h}};
		rsie_layer_of(bh, f, t > 0 ? 2 : 1, h, p->layers[0].act, next);
		float *done = next;
		next = state;
		state = done;
	}
	rsie_feed f = {state, wo, h, LANES, out};
	rsie_layer_of(wo + h * out, &f, 1, out, ACT_LINEAR, next);
	return next;
}

/* z, r = sigmoid(b + x Wx + h Wh), c = tanh(b + x Wx + (r h) Wh), h = (1 - z) c + z h. */
DEVICE float *rsie_gru(const rsie_program *p, const float *point, const float *x, float *room)
{
	int in = p->layers[0].in, h = p->layers[0].out, out = p->outputs, cols = 3 * h;
	const float *wh = point + in * cols, *b = wh + h * cols, *wo = b + cols;
	float *state = room, *gates = room + p->widest * LANES, *gated = gates + p->widest * LANES;
	float *candidate = gates + 2 * h * LANES;
	for (int i = 0; i < h; i++) state[i * LANES] = 0;
	for (int t = 0; t < p->steps; t++) {
		rsie_feed f[2] = {{x + (int64_t)t * in * TILE, point, in, TILE, cols}, {state, wh, h, LANES, cols}};
		rsie_layer_of(b, f, 2, 2 * h, ACT_SIGMOID, gates);
		for (int i = 0; i < h; i++) gated[i * LANES] = gates[(h + i) * LANES] * state[i * LANES];
		f[0].w += 2 * h;
		f[1].x = gated;
		f[1].w += 2 * h;
		rsie_layer_of(b + 2 * h, f, 2, h, ACT_TANH, candidate);
		for (int i = 0; i < h; i++) {
			float z = gates[i * LANES];
			state[i * LANES] = fmaf(z, state[i * LANES], (1.0f - z) * candidate[i * LANES]);
		}
	}
	rsie_feed f = {state, wo, h, LANES, out};
	rsie_layer_of(wo + h * out, &f, 1, out, ACT_LINEAR, gates);
	return gates;
}

/* Returns the column of outputs of sample s. room is the lane's share of the worker's scratch. */
DEVICE float *rsie_forward(const rsie_program *p, const float *point, int s, float *room)
{
	int in = p->layers[0].in;
	const float *x = p->inputs + (int64_t)(s / TILE) * TILE * p->steps * in + s % TILE;
	if (p->network == NET_ELMAN) return rsie_elman(p, point, x, room);
	if (p->network == NET_GRU) return rsie_gru(p, point, x, room);
	return rsie_dense(p, point, x, room);
}

/* ln(sum over j of exp(o[j] - peak)) - (o[class] - peak), or the sum of squares of o - target. An
 * output that is not finite makes it so, too. */
DEVICE float rsie_loss(const rsie_program *p, const float *o, int s)
{
	float sum = 0, peak = o[0];
	if (p->loss == LOSS_MEAN_SQUARED) {
		const float *t = p->targets + (int64_t)(s / TILE) * TILE * p->outputs + s % TILE;
		for (int j = 0; j < p->outputs; j++) {
			float d = o[j * LANES] - t[(int64_t)j * TILE];
			sum = fmaf(d, d, sum);
		}
		return sum;
	}
	for (int j = 1; j < p->outputs; j++) peak = o[j * LANES] > peak ? o[j * LANES] : peak;
	for (int j = 0; j < p->outputs; j++) sum = sum + rsie_exp_falling(o[j * LANES] - peak);
	return rsie_log_sum(sum) - (o[p->classes[s] * LANES] - peak);
}
#endif
