/* Whole episodes of control: minus the mean return of every policy, see rsie.OpEvaluate; the
 * twin is rollout.go of package cpu. An episode depends on its policy and its start alone. On a
 * CPU FLIGHT episodes of any policies of a span advance together, see flight.h; on a GPU a thread
 * has one episode after the other. */
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

/* Episodes that advance together on a CPU. Two vectors of AVX-512 hide each other's latency: measured on
 * CartPole of 4-32-2, 1.5 times the steps of one. */
#define FLIGHT 32

/* Episodes of one span at most, but for policies with more: the fewer spans, the fewer uneven ends.
 * layout.go has room for as many returns. */
#define MOST_EPISODES 2048

/* Values that a worker has in flight: on a CPU the policies of the lanes [dim][FLIGHT] and two
 * activations of theirs, on a GPU those of a block. */
DEVICE int64_t rsie_flight_len(const rsie_program *p)
{
	int64_t cpu = (int64_t)(p->dim + 2 * p->widest) * FLIGHT, gpu = (int64_t)2 * p->widest * LANES;
	return cpu > gpu ? cpu : gpu;
}

#if !defined(__CUDACC__) && !defined(RSIE_EMULATED)
#include "flight.h"
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
