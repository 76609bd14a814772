/* Whole episodes of control: minus the mean return of every policy, see rsie.OpEvaluate; the
 * twin is rollout.go of package cpu. An episode depends on its policy and its start alone. On a
 * CPU sixteen episodes of any policies of a span advance together, and a lane whose episode ends
 * takes the next one; on a GPU a thread has one episode after the other. */
#ifndef RSIE_ROLLOUT_H
#define RSIE_ROLLOUT_H

#include "dynamics.h"

/* The state of episode k at its start. */
DEVICE rsie_episode rsie_begin_episode(const rsie_program *p, int k)
{
	const float *s = p->starts + (int64_t)k * p->state;
	rsie_episode e = {s[0], s[1], p->state > 2 ? s[2] : 0.0f, p->state > 2 ? s[3] : 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
	rsie_look(p->dynamics, &e);
	return e;
}

#define FLIGHT 16 /* episodes that advance together */

/* Values that a worker has in flight: on a CPU the policies of the lanes [dim][FLIGHT] and two
 * activations of theirs, on a GPU those of a block. */
DEVICE int64_t rsie_flight_len(const rsie_program *p)
{
	int64_t cpu = (int64_t)(p->dim + 2 * p->widest) * FLIGHT, gpu = (int64_t)2 * p->widest * LANES;
	return cpu > gpu ? cpu : gpu;
}

#if !defined(__CUDACC__) && !defined(RSIE_EMULATED)

typedef struct {
	float s0[FLIGHT], s1[FLIGHT], s2[FLIGHT], s3[FLIGHT], sin0[FLIGHT], cos0[FLIGHT], sin1[FLIGHT],
		cos1[FLIGHT], action[FLIGHT], sum[FLIGHT];
	int32_t ended[FLIGHT], steps[FLIGHT], job[FLIGHT];
} rsie_flight __attribute__((aligned(64)));

#define LOAD_EPISODE(e, f, l) \
	rsie_episode e = {(f)->s0[l], (f)->s1[l], (f)->s2[l], (f)->s3[l], (f)->sin0[l], (f)->cos0[l], (f)->sin1[l], (f)->cos1[l]}
#define STORE_EPISODE(e, f, l) \
	do { \
		(f)->s0[l] = (e).s0, (f)->s1[l] = (e).s1, (f)->s2[l] = (e).s2, (f)->s3[l] = (e).s3; \
		(f)->sin0[l] = (e).sin0, (f)->cos0[l] = (e).cos0, (f)->sin1[l] = (e).sin1, (f)->cos1[l] = (e).cos1; \
	} while (0)

#define STEP_LANES(step) \
	for (int l = 0; l < FLIGHT; l++) { \
		LOAD_EPISODE(e, f, l); \
		int32_t ended = 0; \
		f->sum[l] = f->sum[l] + step(p, &e, f->action[l], &ended); \
		f->ended[l] = ended; \
		STORE_EPISODE(e, f, l); \
	} \
	break

static void rsie_step_lanes(const rsie_program *p, rsie_flight *f)
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

static void rsie_observe_lanes(const rsie_program *p, const rsie_flight *f, float *x)
{
	const float *acrobot[6] = {f->cos0, f->sin0, f->cos1, f->sin1, f->s2, f->s3};
	const float *swingup[5] = {f->s0, f->s1, f->cos0, f->sin0, f->s3};
	const float *pendulum[3] = {f->cos0, f->sin0, f->s1}, *plain[4] = {f->s0, f->s1, f->s2, f->s3};
	const float **from = p->dynamics == DYN_ACROBOT ? acrobot : p->dynamics == DYN_SWINGUP ? swingup :
		p->dynamics == DYN_PENDULUM ? pendulum : plain;
	for (int k = 0; k < p->obs; k++)
		for (int l = 0; l < FLIGHT; l++) x[k * FLIGHT + l] = from[k][l];
}

/* y = act(b + x W), every lane with its own weights; inputs are added in their order. */
static void rsie_layer_lanes(const rsie_layer *n, const float *RESTRICT w, const float *RESTRICT x, float *RESTRICT y)
{
	int j = 0;
	for (; j + 4 <= n->out; j += 4) {
		float a0[FLIGHT], a1[FLIGHT], a2[FLIGHT], a3[FLIGHT];
		const float *b = w + (int64_t)(n->b + j) * FLIGHT;
		for (int l = 0; l < FLIGHT; l++) {
			a0[l] = b[l];
			a1[l] = b[FLIGHT + l];
			a2[l] = b[2 * FLIGHT + l];
			a3[l] = b[3 * FLIGHT + l];
		}
		for (int k = 0; k < n->in; k++) {
			const float *u = w + (int64_t)(n->w + k * n->out + j) * FLIGHT, *v = x + k * FLIGHT;
			for (int l = 0; l < FLIGHT; l++) {
				a0[l] = fmaf(v[l], u[l], a0[l]);
				a1[l] = fmaf(v[l], u[FLIGHT + l], a1[l]);
				a2[l] = fmaf(v[l], u[2 * FLIGHT + l], a2[l]);
				a3[l] = fmaf(v[l], u[3 * FLIGHT + l], a3[l]);
			}
		}
		for (int l = 0; l < FLIGHT; l++) {
			y[j * FLIGHT + l] = a0[l];
			y[(j + 1) * FLIGHT + l] = a1[l];
			y[(j + 2) * FLIGHT + l] = a2[l];
			y[(j + 3) * FLIGHT + l] = a3[l];
		}
	}
	for (; j < n->out; j++) {
		float a[FLIGHT];
		for (int l = 0; l < FLIGHT; l++) a[l] = w[(int64_t)(n->b + j) * FLIGHT + l];
		for (int k = 0; k < n->in; k++) {
			const float *u = w + (int64_t)(n->w + k * n->out + j) * FLIGHT, *v = x + k * FLIGHT;
			for (int l = 0; l < FLIGHT; l++) a[l] = fmaf(v[l], u[l], a[l]);
		}
		for (int l = 0; l < FLIGHT; l++) y[j * FLIGHT + l] = a[l];
	}
	const int count = n->out * FLIGHT;
	switch (n->act) {
	case ACT_TANH:
		for (int i = 0; i < count; i++) y[i] = rsie_tanh(y[i]);
		break;
	case ACT_RELU:
		for (int i = 0; i < count; i++) y[i] = y[i] > 0.0f ? y[i] : 0.0f;
		break;
	case ACT_SIGMOID:
		for (int i = 0; i < count; i++) y[i] = rsie_sigmoid(y[i]);
		break;
	}
}

/* Writes the actions of all lanes; w holds their policies, a and b activations. */
static void rsie_act_lanes(const rsie_program *p, rsie_flight *f, const float *w, float *a, float *b)
{
	rsie_observe_lanes(p, f, a);
	for (int i = 0; i < p->layer_count; i++) {
		rsie_layer_lanes(&p->layers[i], w, a, b);
		float *t = a;
		a = b;
		b = t;
	}
	if (p->outputs > 1) { /* the number of the first largest output */
		for (int l = 0; l < FLIGHT; l++) {
			float best = a[l], number = 0.0f;
			for (int j = 1; j < p->outputs; j++) {
				int more = a[j * FLIGHT + l] > best;
				best = more ? a[j * FLIGHT + l] : best;
				number = more ? (float)j : number;
			}
			f->action[l] = number;
		}
	} else if (p->dynamics == DYN_SWINGUP || p->dynamics == DYN_PENDULUM) {
		for (int l = 0; l < FLIGHT; l++) f->action[l] = rsie_tanh(a[l]);
	} else {
		for (int l = 0; l < FLIGHT; l++) f->action[l] = a[l];
	}
}

/* Puts a job, an episode of a policy, on a lane. */
static void rsie_board(const rsie_program *p, rsie_flight *f, int l, int job, const float *points, int64_t stride, float *w)
{
	const float *point = points + (int64_t)(job / p->samples) * stride;
	if (f->job[l] < 0 || f->job[l] / p->samples != job / p->samples)
		for (int k = 0; k < p->dim; k++) w[k * FLIGHT + l] = point[k];
	rsie_episode e = rsie_begin_episode(p, job % p->samples);
	STORE_EPISODE(e, f, l);
	f->sum[l] = 0.0f;
	f->steps[l] = 0;
	f->job[l] = job;
}

/* Writes the sum of rewards of every episode of n policies, [n][samples]. */
static void rsie_returns(const rsie_program *p, const float *points, int64_t stride, int n, float *returns, float *room)
{
	rsie_flight f;
	float *w = room, *a = w + (int64_t)p->dim * FLIGHT, *b = a + (int64_t)p->widest * FLIGHT;
	const int jobs = n * p->samples;
	int next = 0, live = 0;
	for (int l = 0; l < FLIGHT; l++) {
		f.job[l] = -1;
		/* Lanes without a job copy the first and are never read. */
		rsie_board(p, &f, l, next < jobs ? next : 0, points, stride, w);
		if (next < jobs) next++, live++;
		else f.job[l] = -1;
	}
	while (live > 0) {
		rsie_act_lanes(p, &f, w, a, b);
		rsie_step_lanes(p, &f);
		for (int l = 0; l < FLIGHT; l++) {
			f.steps[l]++;
			if (f.job[l] < 0 || !(f.ended[l] || f.steps[l] == p->horizon)) continue;
			returns[f.job[l]] = f.sum[l];
			if (next < jobs) {
				rsie_board(p, &f, l, next++, points, stride, w);
			} else {
				f.job[l] = -1;
				live--;
			}
		}
	}
}

#else

/* The action of a policy in an episode; a and b hold activations at a distance of LANES. */
DEVICE float rsie_act(const rsie_program *p, const rsie_episode *e, const float *point, float *a, float *b)
{
	for (int k = 0; k < p->obs; k++) a[k * LANES] = rsie_observe(p->dynamics, e, k);
	for (int i = 0; i < p->layer_count; i++) {
		const rsie_layer *n = &p->layers[i];
		for (int j = 0; j < n->out; j++) {
			float v = point[n->b + j];
			for (int k = 0; k < n->in; k++) v = fmaf(a[k * LANES], point[n->w + k * n->out + j], v);
			if (n->act == ACT_TANH) v = rsie_tanh(v);
			if (n->act == ACT_RELU) v = v > 0.0f ? v : 0.0f;
			if (n->act == ACT_SIGMOID) v = rsie_sigmoid(v);
			b[j * LANES] = v;
		}
		float *t = a;
		a = b;
		b = t;
	}
	if (p->outputs == 1) return p->dynamics == DYN_SWINGUP || p->dynamics == DYN_PENDULUM ? rsie_tanh(a[0]) : a[0];
	float best = a[0], number = 0.0f;
	for (int j = 1; j < p->outputs; j++)
		if (a[j * LANES] > best) {
			best = a[j * LANES];
			number = (float)j;
		}
	return number;
}

DEVICE float rsie_step(const rsie_program *p, rsie_episode *e, float action, int32_t *ended)
{
	switch (p->dynamics) {
	case DYN_CARTPOLE: return rsie_step_cartpole(p, e, action, ended);
	case DYN_SWINGUP: return rsie_step_swingup(p, e, action, ended);
	case DYN_ACROBOT: return rsie_step_acrobot(p, e, action, ended);
	case DYN_MOUNTAINCAR: return rsie_step_mountaincar(p, e, action, ended);
	case DYN_MOUNTAINCAR_CONTINUOUS: return rsie_step_mountaincar_continuous(p, e, action, ended);
	}
	return rsie_step_pendulum(p, e, action, ended);
}

DEVICE void rsie_returns(const rsie_program *p, const float *points, int64_t stride, int n, float *returns, float *room)
{
	float *a = room + threadIdx.x, *b = a + (int64_t)p->widest * LANES;
	EACH(job, 0, n * p->samples) {
		const float *point = points + (int64_t)(job / p->samples) * stride;
		rsie_episode e = rsie_begin_episode(p, job % p->samples);
		float sum = 0.0f;
		int32_t ended = 0;
		for (int step = 0; step < p->horizon && !ended; step++) {
			float action = rsie_act(p, &e, point, a, b);
			sum = sum + rsie_step(p, &e, action, &ended);
		}
		returns[job] = sum;
	}
	SYNC;
}

#endif

/* Minus the mean return; RSIE_WORST where it is not a finite number. */
DEVICE float rsie_control_fitness(const rsie_program *p, const float *returns)
{
	float total;
	SUM(total, k, 0, p->samples, sum, sum + returns[k]);
	float mean = -(total / (float)p->samples);
	return fabsf(mean) < RSIE_INFINITY ? mean : RSIE_WORST;
}
#endif
