/* CR-FM-NES: see fastnes.go of package cpu, the twin. */
#ifndef RSIE_FASTNES_H
#define RSIE_FASTNES_H

#include "adapt.h"

/* Writes y v/|v| of every member to distance and |z|^2 to shorter. */
DEVICE void rsie_lengths(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	const float *mean = rsie_vector(c, r, VEC_MEAN), *inverse = rsie_scratch(c, c->inverse, r);
	const float *v = rsie_vector(c, r, VEC_DIRECTION);
	float v2 = rsie_squared(c, v), norm = sqrtf(v2), less = 1.0f / (1.0f + v2) - 1.0f;
	for (int i = 0; i < (int)t->eval_to; i++) {
		int64_t m = (int64_t)t->offset + i;
		const float *x = rsie_point(c, &c->next, m);
		float along, square;
		SUM(along, j, 0, c->dim, acc, fmaf((x[j] - mean[j]) * inverse[j], v[j], acc));
		SUM(square, j, 0, c->dim, acc, fmaf((x[j] - mean[j]) * inverse[j], (x[j] - mean[j]) * inverse[j], acc));
		along = along / norm;
		float rest = fmaf(less * along, along, square);
		ONCE {
			c->distance[m] = along;
			c->shorter[m] = rest < 0.0f ? 0.0f : rest;
		}
	}
	SYNC;
}

/* Writes sum w y to g. */
DEVICE void rsie_weighted_sum(const rsie_call *c, float *RESTRICT g, int r)
{
	const rsie_run *t = &c->runs[r];
	const float *RESTRICT mean = rsie_vector(c, r, VEC_MEAN), *RESTRICT inverse = rsie_scratch(c, c->inverse, r);
	EACH(j, 0, c->dim) g[j] = 0;
	for (int i = 0; i < (int)t->eval_to; i++) {
		int64_t m = (int64_t)t->offset + i;
		const float *RESTRICT x = rsie_point(c, &c->next, m);
		float w = c->utility[m];
		EACH(j, 0, c->dim) g[j] = fmaf(w, (x[j] - mean[j]) * inverse[j], g[j]);
	}
	SYNC;
}

/* Replaces the weights by those that favour far samples. */
DEVICE void rsie_distance_weights(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	int n = (int)t->eval_to, place = 0;
	float *utility = c->utility + t->offset, *shorter = c->shorter + t->offset;
	SYNC;
	ONCE {
		double longest = 0, sum = 0;
		for (int i = 0; i < n; i++) {
			double v = sqrt((double)shorter[i]);
			longest = v > longest ? v : longest;
		}
		for (int k = 0; k < (int)t->members; k++) {
			int i = (int)c->next.order[t->offset + k];
			if (i >= n) continue;
			place++;
			double h = rsie_log64((double)n / 2 + 1) - rsie_log64((double)place);
			h = h > 0 ? h : 0;
			utility[i] = (float)(h * rsie_exp64(t->temperature * (sqrt((double)shorter[i]) - longest)));
		}
		for (int i = 0; i < n; i++) sum = sum + utility[i];
		for (int i = 0; i < n; i++) utility[i] = (float)(utility[i] / sum - 1.0 / n);
	}
	SYNC;
}

/* Writes sum w y^2 to square and sum w (y v/|v|) y to centroid, weights times scale_rate. */
DEVICE void rsie_gradient_sums(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	const float *RESTRICT mean = rsie_vector(c, r, VEC_MEAN), *RESTRICT inverse = rsie_scratch(c, c->inverse, r);
	float *RESTRICT s = rsie_scratch(c, c->square, r), *RESTRICT u = rsie_scratch(c, c->centroid, r);
	EACH(j, 0, c->dim) s[j] = u[j] = 0;
	for (int i = 0; i < (int)t->eval_to; i++) {
		int64_t m = (int64_t)t->offset + i;
		const float *RESTRICT x = rsie_point(c, &c->next, m);
		float w = (float)t->scale_rate * c->utility[m], a = w * c->distance[m];
		EACH(j, 0, c->dim) {
			float y = (x[j] - mean[j]) * inverse[j];
			s[j] = fmaf(w * y, y, s[j]);
			u[j] = fmaf(a, y, u[j]);
		}
	}
	SYNC;
}

/* Moves the mean and the evolution path along g. */
DEVICE void rsie_follow_samples(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	float *mean = rsie_vector(c, r, VEC_MEAN), *path = rsie_vector(c, r, VEC_PATH);
	const float *g = rsie_scratch(c, c->gradient, r), *steps = rsie_scratch(c, c->steps, r);
	float keep = (float)(1 - t->cov_path_rate), rate = (float)t->learning_rate;
	float push = (float)sqrt(t->cov_path_rate * (2 - t->cov_path_rate) * t->mu_eff) / rsie_sigma(c, r);
	rsie_gradient_sums(c, r); /* around the mean before it moves */
	EACH(j, 0, c->dim) {
		path[j] = fmaf(push * steps[j], g[j], keep * path[j]);
		mean[j] = fmaf(rate * steps[j], g[j], mean[j]);
	}
	SYNC;
}

/* What the natural gradient of v and D knows before it looks at coordinates. */
typedef struct {
	float v2, norm, gamma, alpha, b, curve; /* curve = b + 2 alpha^2 */
} rsie_turn;

DEVICE rsie_turn rsie_turn_of(const rsie_call *c, const float *v)
{
	rsie_turn k;
	float top = 0;
	k.v2 = rsie_squared(c, v);
	k.norm = sqrtf(k.v2);
	k.gamma = 1.0f + k.v2;
	for (int j = 0; j < c->dim; j++) top = v[j] * v[j] / k.v2 > top ? v[j] * v[j] / k.v2 : top;
	float v4 = k.v2 * k.v2;
	k.alpha = sqrtf(v4 + (2.0f * k.gamma - sqrtf(k.gamma)) / top) / (2.0f + k.v2);
	k.alpha = k.alpha > 1.0f ? 1.0f : k.alpha;
	k.b = -(1.0f - k.alpha * k.alpha) * v4 / k.gamma + 2.0f * k.alpha * k.alpha;
	k.curve = k.b + 2.0f * k.alpha * k.alpha;
	return k;
}

/* Turns the sums into the gradients s of D and u of v; returns nothing else. */
DEVICE void rsie_turn_gradients(const rsie_call *c, int r, const rsie_turn *k)
{
	const rsie_run *t = &c->runs[r];
	const float *v = rsie_vector(c, r, VEC_DIRECTION), *d = rsie_vector(c, r, VEC_SCALE);
	const float *path = rsie_vector(c, r, VEC_PATH), *layer = rsie_vector(c, r, VEC_LAYER);
	float *s = rsie_scratch(c, c->square, r), *u = rsie_scratch(c, c->centroid, r);
	float one = (float)t->cov_rank_one, rate = (float)t->scale_rate, weight = one, squares = 0, along, dot, inner, scale;
	for (uint32_t i = 0; i < t->eval_to; i++) {
		float w = rate * c->utility[t->offset + i], a = c->distance[t->offset + i];
		weight = weight + w;
		squares = fmaf(w * a, a, squares);
	}
	SUM(along, j, 0, c->dim, acc, acc + path[j] / (d[j] * layer[j]) * v[j]);
	along = along / k->norm;
	squares = fmaf(one * along, along, squares);
	EACH(j, 0, c->dim) {
		float bar = v[j] / k->norm, y = path[j] / (d[j] * layer[j]);
		float cross = fmaf(one * along, y, u[j]);
		s[j] = fmaf(one * y, y, s[j] - weight) - k->v2 / k->gamma * cross * bar;
		u[j] = cross - 0.5f * bar * (squares + k->gamma * weight);
	}
	SYNC;
	SUM(dot, j, 0, c->dim, acc, fmaf(u[j], v[j], acc));
	dot = dot / k->norm;
	EACH(j, 0, c->dim) {
		float bar = v[j] / k->norm;
		s[j] = s[j] - k->alpha / k->gamma * ((2.0f + k->v2) * u[j] * bar - k->v2 * dot * bar * bar);
	}
	SYNC;
#define BAR2(j) (v[j] / k->norm * (v[j] / k->norm))
#define H(j) (1.0f / (2.0f - k->curve * BAR2(j)))
	SUM(inner, j, 0, c->dim, acc, fmaf(s[j], BAR2(j) * H(j), acc));
	SUM(scale, j, 0, c->dim, acc, fmaf(k->b * BAR2(j), BAR2(j) * H(j), acc));
	scale = scale + 1.0f;
	EACH(j, 0, c->dim) s[j] = s[j] * H(j) - k->b / scale * inner * (BAR2(j) * H(j));
#undef BAR2
#undef H
	SYNC;
}

/* Changes v and D by the natural gradient and keeps the determinant of the covariance. */
DEVICE void rsie_turn_direction(const rsie_call *c, int r)
{
	float *v = rsie_vector(c, r, VEC_DIRECTION), *d = rsie_vector(c, r, VEC_SCALE);
	const float *s = rsie_scratch(c, c->square, r), *u = rsie_scratch(c, c->centroid, r);
	rsie_turn k = rsie_turn_of(c, v);
	float rest, logs;
	rsie_turn_gradients(c, r, &k);
	SUM(rest, j, 0, c->dim, acc, fmaf(s[j], v[j] / k.norm * (v[j] / k.norm), acc));
	EACH(j, 0, c->dim) {
		float bar = v[j] / k.norm, grow = 1.0f + s[j];
		float change = u[j] - k.alpha * ((2.0f + k.v2) * s[j] * bar - rest * bar);
		d[j] = d[j] * (grow < 1e-3f ? 1e-3f : grow);
		v[j] = v[j] + change / k.norm;
	}
	SYNC;
	SUM(logs, j, 0, c->dim, acc, acc + rsie_log(d[j]));
	double n = c->dim, v2 = rsie_squared(c, v);
	float root = (float)rsie_exp64(logs / n + rsie_log64(1 + v2) / (2 * n));
	EACH(j, 0, c->dim) d[j] = d[j] / root;
}

/* Updates mean, sigma, scales and direction of a run. */
DEVICE void rsie_fast_nes(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	int n = (int)t->eval_to;
	float *v = rsie_vector(c, r, VEC_DIRECTION), *p = rsie_vector(c, r, VEC_STEP_PATH);
	float *g = rsie_scratch(c, c->gradient, r), *utility = c->utility + t->offset, negative = (float)t->negative;
	EACH(i, 0, n) utility[i] = utility[i] < 0.0f ? negative * utility[i] : utility[i];
	SYNC;
	rsie_lengths(c, r);
	rsie_weighted_sum(c, g, r);
	float v2 = rsie_squared(c, v), along, keep = (float)(1 - t->path_rate);
	SUM(along, j, 0, c->dim, acc, fmaf(g[j], v[j], acc));
	float back = (1.0f / sqrtf(1.0f + v2) - 1.0f) * along / v2;
	float push = (float)sqrt(t->path_rate * (2 - t->path_rate) * t->mu_eff);
	EACH(j, 0, c->dim) p[j] = fmaf(push, fmaf(back, v[j], g[j]), keep * p[j]);
	SYNC;
	double far = sqrt((double)rsie_squared(c, p)), chi = rsie_expected_length(c->dim), rate = t->path_damping, growth = 0;
	if (far >= chi) {
		rate = 1;
		rsie_distance_weights(c, r);
		rsie_weighted_sum(c, g, r);
	} else if (far >= 0.1 * chi) {
		rate = t->step_gain;
	}
	rsie_follow_samples(c, r);
	for (int i = 0; i < n; i++) growth = growth + utility[i] * ((double)c->shorter[t->offset + i] / c->dim - 1);
	rsie_turn_direction(c, r);
	growth = rate / 2 * growth;
	rsie_scale_freely(c, r, growth > 1 ? 1 : growth);
}
#endif
