/* The weights of the members of a distribution run: see rsie.Weights, the twin. In double. */
#ifndef RSIE_WEIGHTS_H
#define RSIE_WEIGHTS_H

#include "access.h"

#define LOGISTIC_SLOPE 20.0

DEVICE double rsie_centred(int i, int n) { return 0.5 - (double)i / (n > 2 ? n - 1 : 1); }

/* The weight of place i of n before the weights are normalised. */
DEVICE double rsie_raw_weight(const rsie_run *t, int i, int n)
{
	switch (t->recombine) {
	case WEIGHTS_UTILITY: {
		double v = rsie_log64((double)n / 2 + 1) - rsie_log64((double)i + 1);
		return v > 0 ? v : 0;
	}
	case WEIGHTS_SOFTMAX: return rsie_exp64(t->temperature * (rsie_centred(i, n) - 0.5));
	case WEIGHTS_TUTORIAL: return rsie_log64(((double)n + 1) / 2) - rsie_log64((double)i + 1);
	case WEIGHTS_LOGISTIC:
		return rsie_exp64(-LOGISTIC_SLOPE / (1 + rsie_exp64(t->temperature * rsie_centred(i, n))));
	case WEIGHTS_EQUAL: return 1;
	default: return rsie_centred(i, n);
	}
}

/* Logarithmic weights of the mu best of the places. */
DEVICE void rsie_log_weights(double *w, const rsie_run *t, int mu)
{
	double top = rsie_log64((double)mu + 0.5), exponent = t->weight_exponent;
	EACH(i, 0, mu) {
		double v = top - rsie_log64((double)i + 1);
		w[i] = v;
	}
	if (exponent != 1) EACH(i, 0, mu) w[i] = rsie_pow64(w[i], exponent);
}

/* Writes the weights of places 0 to n - 1; w is scratch of n. */
DEVICE void rsie_weights(float *to, double *w, const rsie_run *t, double sigma, int n)
{
	int truncates = t->recombine == WEIGHTS_LOGARITHMIC || t->recombine == WEIGHTS_EQUAL, mu = n;
	if (truncates && (int)t->mu < n) mu = t->mu < 1 ? 1 : (int)t->mu;
	if (t->recombine == WEIGHTS_LOGARITHMIC)
		rsie_log_weights(w, t, mu);
	else
		EACH(i, 0, mu) w[i] = rsie_raw_weight(t, i, n);
	SYNC;
	double sum = 0, bad = 0, negative = t->negative;
	for (int i = 0; i < mu && t->recombine != WEIGHTS_CENTRED; i++) {
		double v = w[i];
		if (v > 0 || t->recombine != WEIGHTS_TUTORIAL) sum = sum + v;
		else bad = bad - v;
	}
	if (truncates)
		EACH(i, 0, n) {
			double good = i < mu ? w[i] / sum : 0.0;
			to[i] = (float)(n - 1 - i < mu ? good - negative * (w[n - 1 - i] / sum) : good);
		}
	else if (t->recombine == WEIGHTS_CENTRED)
		EACH(i, 0, n) to[i] = (float)(w[i] / (n * sigma));
	else if (t->recombine == WEIGHTS_TUTORIAL)
		EACH(i, 0, n) to[i] = (float)(w[i] > 0 ? w[i] / sum : bad > 0 ? negative * w[i] / bad : w[i]);
	else {
		double less = t->recombine == WEIGHTS_UTILITY ? 1.0 / n : 0.0;
		EACH(i, 0, n) to[i] = (float)(w[i] / sum - less);
	}
	SYNC;
}

/* Writes the weight of every member of a run to scratch, by index. */
KERNEL void set_weights(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	int n = (int)t->eval_to, place = 0;
	float *by_rank = c->ranked + t->offset, *utility = c->utility + t->offset;
	const uint32_t *order = c->next.order + t->offset;
	rsie_weights(by_rank, (double *)(c->lottery + t->offset), t, t->sigma * rsie_memory(c, s.run)[MEM_SIGMA], n);
	ONCE for (int k = 0; k < (int)t->members; k++)
		if ((int)order[k] < n) utility[order[k]] = by_rank[place++];
}
#endif
