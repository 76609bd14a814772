/* Episodes of control on the lanes of a CPU: FLIGHT of them advance together, each with the weights
 * of its own policy, which stand in columns. A lane whose episode ends takes the next one of its
 * policy, or else the next policy, or else an episode that waits for another lane; so all lanes stay
 * busy to the end, and no value depends on the lane. */
#ifndef RSIE_FLIGHT_H
#define RSIE_FLIGHT_H

#include "dynamics.h"
#include "forward_simd.h"
#include <string.h>

/* Lane l has episodes job[l] to last[l] - 1 of all, [policies][samples], and is in the first. */
typedef struct {
	float s0[FLIGHT], s1[FLIGHT], s2[FLIGHT], s3[FLIGHT], sin0[FLIGHT], cos0[FLIGHT], sin1[FLIGHT],
		cos1[FLIGHT], action[FLIGHT], sum[FLIGHT];
	int32_t ended[FLIGHT], done[FLIGHT], left[FLIGHT], live[FLIGHT], job[FLIGHT], last[FLIGHT], policy[FLIGHT];
	const float *points;
	int64_t stride;
	float *weights; /* [dim][FLIGHT] */
	int policies, fresh; /* fresh: the first policy that no lane has had */
	int lanes, busy;     /* FLIGHT or half of them, and how many have an episode */
} rsie_flight __attribute__((aligned(64)));

#define LOAD_EPISODE(e, f, l) \
	rsie_episode e = {(f)->s0[l], (f)->s1[l], (f)->s2[l], (f)->s3[l], (f)->sin0[l], (f)->cos0[l], (f)->sin1[l], (f)->cos1[l]}
#define STORE_EPISODE(e, f, l) \
	do { \
		(f)->s0[l] = (e).s0, (f)->s1[l] = (e).s1, (f)->s2[l] = (e).s2, (f)->s3[l] = (e).s3; \
		(f)->sin0[l] = (e).sin0, (f)->cos0[l] = (e).cos0, (f)->sin1[l] = (e).sin1, (f)->cos1[l] = (e).cos1; \
	} while (0)

#define STEP_LANES(step) \
	for (int l = 0; l < lanes; l++) { \
		LOAD_EPISODE(e, f, l); \
		int32_t ended = 0; \
		f->sum[l] = f->sum[l] + step(p, &e, f->action[l], &ended); \
		f->ended[l] = ended; \
		STORE_EPISODE(e, f, l); \
	} \
	break

DEVICE void rsie_step_lanes(const rsie_program *p, rsie_flight *f, const int lanes)
{
	switch (p->dynamics) {
	case DYN_CARTPOLE: STEP_LANES(rsie_step_cartpole);
	case DYN_SWINGUP: STEP_LANES(rsie_step_swingup);
	case DYN_ACROBOT: STEP_LANES(rsie_step_acrobot);
	case DYN_MOUNTAINCAR: STEP_LANES(rsie_step_mountaincar);
	case DYN_MOUNTAINCAR_CONTINUOUS: STEP_LANES(rsie_step_mountaincar_continuous);
	default: STEP_LANES(rsie_step_pendulum);
	}
}

DEVICE void rsie_observe_lanes(const rsie_program *p, const rsie_flight *f, float *x, const int lanes)
{
	const float *acrobot[6] = {f->cos0, f->sin0, f->cos1, f->sin1, f->s2, f->s3};
	const float *swingup[5] = {f->s0, f->s1, f->cos0, f->sin0, f->s3};
	const float *pendulum[3] = {f->cos0, f->sin0, f->s1}, *plain[4] = {f->s0, f->s1, f->s2, f->s3};
	const float **from = p->dynamics == DYN_ACROBOT ? acrobot : p->dynamics == DYN_SWINGUP ? swingup :
		p->dynamics == DYN_PENDULUM ? pendulum : plain;
	for (int k = 0; k < p->obs; k++)
		for (int l = 0; l < lanes; l++) x[k * FLIGHT + l] = from[k][l];
}

#ifdef RSIE_SIMD

/* n units of a layer for some vectors of lanes, both constants: w and b are the first one's weights and
 * bias, row floats lie between the weights of two inputs. */
DEVICE void rsie_units(const float *w, const float *b, int64_t row, int in, const float *x, float *y, int act,
	const int n, const int vectors)
{
	vf a[16];
#pragma GCC unroll 16
	for (int i = 0; i < n * vectors; i++) a[i] = v_load(b + i / vectors * FLIGHT + i % vectors * VLEN);
	INPUTS_A_TURN
	for (int k = 0; k < in; k++, w += row, x += FLIGHT) {
		vf v[4];
#pragma GCC unroll 4
		for (int i = 0; i < vectors; i++) v[i] = v_load(x + i * VLEN);
#pragma GCC unroll 16
		for (int i = 0; i < n * vectors; i++)
			a[i] = v_fma(v[i % vectors], v_load(w + i / vectors * FLIGHT + i % vectors * VLEN), a[i]);
	}
#define FINISH(act) \
	_Pragma("GCC unroll 16") for (int i = 0; i < n * vectors; i++) \
		v_store(y + i / vectors * FLIGHT + i % vectors * VLEN, v_activate(a[i], act))
	if (act == ACT_TANH) FINISH(ACT_TANH);
	else if (act == ACT_SIGMOID) FINISH(ACT_SIGMOID);
	else if (act == ACT_RELU) FINISH(ACT_RELU);
	else FINISH(ACT_LINEAR);
#undef FINISH
}

/* y = act(b + x W), every lane with its own weights; inputs are added in their order. */
DEVICE void rsie_layer_any(const rsie_layer *l, const float *weights, const float *x, float *y, const int lanes)
{
	const float *w = weights + (int64_t)l->w * FLIGHT, *b = weights + (int64_t)l->b * FLIGHT;
	const int64_t row = (int64_t)l->out * FLIGHT;
	int j = 0;
#define UNITS(n) \
	for (; j + n <= l->out; j += n) \
	rsie_units(w + j * FLIGHT, b + j * FLIGHT, row, l->in, x, y + j * FLIGHT, l->act, n, lanes / VLEN)
#if VLEN == 16
	UNITS(8);
	UNITS(4);
	UNITS(3);
#else
	if (lanes < FLIGHT) UNITS(4);
#endif
	UNITS(2);
	UNITS(1);
#undef UNITS
}

static __attribute__((noinline)) void rsie_layer_all(const rsie_layer *l, const float *weights, const float *x, float *y)
{
	rsie_layer_any(l, weights, x, y, FLIGHT);
}

static __attribute__((noinline)) void rsie_layer_half(const rsie_layer *l, const float *weights, const float *x, float *y)
{
	rsie_layer_any(l, weights, x, y, FLIGHT / 2);
}

DEVICE void rsie_layer_lanes(const rsie_layer *l, const float *weights, const float *x, float *y, const int lanes)
{
	if (lanes == FLIGHT) rsie_layer_all(l, weights, x, y);
	else rsie_layer_half(l, weights, x, y);
}

/* The number of the first largest of n outputs. */
DEVICE void rsie_choose_lanes(const float *y, int n, float *action, const int lanes)
{
	for (int l = 0; l < lanes; l += VLEN) {
		vf best = v_load(y + l), number = v_all(0);
		for (int j = 1; j < n; j++) {
			vf v = v_load(y + j * FLIGHT + l);
			number = v_where_less(best, v, v_all((float)j), number);
			best = v_where_less(best, v, v, best);
		}
		v_store(action + l, number);
	}
}

#else

DEVICE void rsie_choose_lanes(const float *y, int n, float *action, const int lanes)
{
	for (int l = 0; l < lanes; l++) {
		int best = 0;
		for (int j = 1; j < n; j++)
			if (y[j * FLIGHT + l] > y[best * FLIGHT + l]) best = j;
		action[l] = (float)best;
	}
}

DEVICE void rsie_layer_lanes(const rsie_layer *n, const float *weights, const float *RESTRICT x, float *RESTRICT y,
	const int lanes)
{
	for (int j = 0; j < n->out; j++) {
		const float *b = weights + (int64_t)(n->b + j) * FLIGHT;
		float *a = y + j * FLIGHT;
		for (int l = 0; l < lanes; l++) a[l] = b[l];
		for (int k = 0; k < n->in; k++) {
			const float *w = weights + (int64_t)(n->w + k * n->out + j) * FLIGHT, *v = x + k * FLIGHT;
			for (int l = 0; l < lanes; l++) a[l] = fmaf(v[l], w[l], a[l]);
		}
		for (int l = 0; l < lanes; l++)
			a[l] = n->act == ACT_TANH ? rsie_tanh(a[l]) : n->act == ACT_SIGMOID ? rsie_sigmoid(a[l]) :
				n->act == ACT_RELU && !(a[l] > 0.0f) ? 0.0f : a[l];
	}
}

#endif

/* Writes the actions of the lanes; a and b hold activations. */
DEVICE void rsie_act_lanes(const rsie_program *p, rsie_flight *f, float *a, float *b, const int lanes)
{
	rsie_observe_lanes(p, f, a, lanes);
	for (int i = 0; i < p->layer_count; i++) {
		rsie_layer_lanes(&p->layers[i], f->weights, a, b, lanes);
		float *t = a;
		a = b;
		b = t;
	}
	if (p->outputs > 1) {
		rsie_choose_lanes(a, p->outputs, f->action, lanes);
	} else if (p->dynamics == DYN_SWINGUP || p->dynamics == DYN_PENDULUM) {
		for (int l = 0; l < lanes; l++) f->action[l] = rsie_tanh(a[l]);
	} else {
		for (int l = 0; l < lanes; l++) f->action[l] = a[l];
	}
}

/* Advances the lanes by one step; says whether an episode is done, and which. */
DEVICE int rsie_advance(const rsie_program *p, rsie_flight *f, float *a, float *b, const int lanes)
{
	int32_t any = 0;
	rsie_act_lanes(p, f, a, b, lanes);
	rsie_step_lanes(p, f, lanes);
	for (int l = 0; l < lanes; l++) {
		f->left[l] -= 1;
		f->done[l] = f->live[l] & (f->ended[l] | (f->left[l] == 0));
		any |= f->done[l];
	}
	return any;
}

static __attribute__((noinline)) int rsie_advance_all(const rsie_program *p, rsie_flight *f, float *a, float *b)
{
	return rsie_advance(p, f, a, b, FLIGHT);
}

static __attribute__((noinline)) int rsie_advance_half(const rsie_program *p, rsie_flight *f, float *a, float *b)
{
	return rsie_advance(p, f, a, b, FLIGHT / 2);
}

/* The next episode of lane l, -1 if none waits. */
static int rsie_next_episode(const rsie_program *p, rsie_flight *f, int l)
{
	if (f->job[l] + 1 < f->last[l]) return ++f->job[l];
	if (f->fresh < f->policies) {
		f->job[l] = f->fresh++ * p->samples;
		f->last[l] = f->job[l] + p->samples;
		return f->job[l];
	}
	int from = 0;
	for (int i = 1; i < FLIGHT; i++)
		if (f->last[i] - f->job[i] > f->last[from] - f->job[from]) from = i;
	if (f->last[from] - f->job[from] < 2) return -1;
	f->job[l] = --f->last[from];
	f->last[l] = f->job[l] + 1;
	return f->job[l];
}

/* Gives lane l its next episode; without one the lane idles. */
static void rsie_board(const rsie_program *p, rsie_flight *f, int l)
{
	int job = rsie_next_episode(p, f, l), policy = job / p->samples;
	f->busy += (job >= 0) - f->live[l];
	f->live[l] = job >= 0;
	if (job < 0) {
		f->job[l] = f->last[l] = 0;
		return;
	}
	if (policy != f->policy[l]) {
		const float *point = f->points + policy * f->stride;
		for (int k = 0; k < p->dim; k++) f->weights[k * FLIGHT + l] = point[k];
		f->policy[l] = policy;
	}
	rsie_episode e = rsie_begin_episode(p, job % p->samples);
	STORE_EPISODE(e, f, l);
	f->sum[l] = 0.0f;
	f->left[l] = p->horizon;
}

/* Moves the episodes of the second half of the lanes to idle lanes of the first. */
static void rsie_halve(const rsie_program *p, rsie_flight *f)
{
	int to = 0;
	for (int l = FLIGHT / 2; l < FLIGHT; l++) {
		if (!f->live[l]) continue;
		while (f->live[to]) to++;
		for (int k = 0; k < p->dim; k++) f->weights[k * FLIGHT + to] = f->weights[k * FLIGHT + l];
		LOAD_EPISODE(e, f, l);
		STORE_EPISODE(e, f, to);
		f->sum[to] = f->sum[l];
		f->left[to] = f->left[l];
		f->job[to] = f->job[l];
		f->last[to] = f->last[l];
		f->policy[to] = f->policy[l];
		f->live[to] = 1;
		f->live[l] = f->job[l] = f->last[l] = 0;
	}
	f->lanes = FLIGHT / 2;
}

/* Writes the sum of rewards of every episode of n policies, [n][samples]. */
static void rsie_returns(const rsie_program *p, const float *points, int64_t stride, int n, float *returns, float *room)
{
	rsie_flight f;
	float *a = room + (int64_t)p->dim * FLIGHT, *b = a + (int64_t)p->widest * FLIGHT;
	memset(&f, 0, sizeof f);
	memset(room, 0, sizeof(float) * (size_t)p->dim * FLIGHT); /* the weights of lanes that idle */
	f.points = points;
	f.stride = stride;
	f.weights = room;
	f.policies = n;
	f.lanes = (int64_t)n * p->samples > FLIGHT / 2 ? FLIGHT : FLIGHT / 2;
	for (int l = 0; l < FLIGHT; l++) f.policy[l] = -1;
	for (int l = 0; l < f.lanes; l++) rsie_board(p, &f, l);
	while (f.busy > 0) {
		if (!(f.lanes == FLIGHT ? rsie_advance_all(p, &f, a, b) : rsie_advance_half(p, &f, a, b))) continue;
		for (int l = 0; l < f.lanes; l++) {
			if (!f.done[l]) continue;
			returns[f.job[l]] = f.sum[l];
			rsie_board(p, &f, l);
		}
		if (f.lanes == FLIGHT && f.busy <= FLIGHT / 2) rsie_halve(p, &f);
	}
}
#endif
