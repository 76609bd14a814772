/* Fitness of members: the mean loss of their networks over all samples, see rsie.OpEvaluate; the
 * twins are evaluate.go and program.go of package cpu. The losses are added as SUM does. */
#ifndef RSIE_EVALUATE_H
#define RSIE_EVALUATE_H

#include "forward.h"
#include "forward_simd.h"
#include "rollout.h"

DEVICE float *rsie_room(const rsie_call *c, int worker)
{
	return c->activations + (int64_t)worker * c->activation_len;
}

#if defined(__CUDACC__) || defined(RSIE_EMULATED)
#define RSIE_LANE ((int)threadIdx.x)
#else
#define RSIE_LANE 0
#endif

/* The sum of the losses of a point over all samples. */
DEVICE float rsie_losses(const rsie_program *p, const float *point, float *room)
{
	float total;
#ifdef RSIE_SIMD
	total = rsie_simd_losses(p, point, room);
#else
	SUM(total, s, 0, p->samples, sum, sum + rsie_loss(p, rsie_forward(p, point, s, room + RSIE_LANE), s));
#endif
	return total;
}

/* The mean loss, RSIE_WORST where it is not a finite number. */
DEVICE float rsie_fitness(const rsie_program *p, const float *point, float *room)
{
	if (!p->labelled) return RSIE_WORST;
	float count = (float)p->samples;
	if (p->loss == LOSS_MEAN_SQUARED) count = count * (float)p->outputs;
	float mean = rsie_losses(p, point, room) / count;
	return fabsf(mean) < RSIE_INFINITY ? mean : RSIE_WORST;
}

/* Writes the fitness of n members from member m on. */
DEVICE void rsie_fitness_rows(const rsie_call *c, int worker, int64_t m, int n)
{
	const rsie_program *p = c->program;
	float *room = rsie_room(c, worker);
	if (p->loss != LOSS_RETURN) {
		for (int i = 0; i < n; i++) {
			float f = rsie_fitness(p, rsie_point(c, &c->next, m + i), room);
			ONCE c->next.fitness[m + i] = f;
		}
		return;
	}
	float *returns = room + rsie_flight_len(p);
	rsie_returns(p, rsie_point(c, &c->next, m), c->stride, n, returns, room);
	for (int i = 0; i < n; i++) {
		float f = rsie_control_fitness(p, returns + (int64_t)i * p->samples);
		ONCE c->next.fitness[m + i] = f;
	}
}

/* Rows from eval_to on are not evaluated but RSIE_WORST. */
KERNEL void evaluate_rows(const rsie_call *c, int worker, rsie_span s)
{
	const rsie_run *t = &c->runs[s.run];
	int to = s.to < (int)t->eval_to ? s.to : (int)t->eval_to;
	if (to > s.from) rsie_fitness_rows(c, worker, (int64_t)t->offset + s.from, to - s.from);
	EACH(i, to > s.from ? to : s.from, s.to) c->next.fitness[(int64_t)t->offset + i] = RSIE_WORST;
}

KERNEL void evaluate_probe_rows(const rsie_call *c, int worker, rsie_span s)
{
	rsie_fitness_rows(c, worker, (int64_t)c->runs[s.run].offset + s.from, s.to - s.from);
}

/* Outputs [samples][outputs] of the asked points. */
KERNEL void predict_rows(const rsie_call *c, int worker, rsie_span s)
{
	const rsie_program *p = c->program;
	for (int i = s.from; i < s.to; i++) {
		const float *point = c->asked + (int64_t)i * p->dim;
		float *to = c->predicted + (int64_t)i * c->width;
		if (p->loss == LOSS_RETURN) {
			rsie_returns(p, point, p->dim, 1, to, rsie_room(c, worker));
			continue;
		}
#ifdef RSIE_SIMD
		rsie_simd_outputs(p, point, rsie_room(c, worker), to);
#else
		EACH(k, 0, p->samples) {
			const float *o = rsie_forward(p, point, k, rsie_room(c, worker) + RSIE_LANE);
			for (int j = 0; j < p->outputs; j++) to[(int64_t)k * p->outputs + j] = o[j * LANES];
		}
#endif
	}
}
#endif
