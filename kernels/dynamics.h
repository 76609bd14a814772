/* The classic-control systems in float32, as dynamics.go of package cpu has them with their
 * sources. */
#ifndef RSIE_DYNAMICS_H
#define RSIE_DYNAMICS_H

#include "access.h"

/* An episode in flight: its state, and the sines and cosines of the state's angles, which the
 * observation, the reward and the next step ask for. */
typedef struct {
	float s0, s1, s2, s3, sin0, cos0, sin1, cos1;
} rsie_episode;

#define RSIE_PI 0x1.921fb6p+1f

/* a - 2 pi floor(a / 2 pi + 1/2), an angle in [-pi, pi). */
DEVICE float rsie_wrap(float a) { return a - 2.0f * RSIE_PI * floorf(a / (2.0f * RSIE_PI) + 0.5f); }

DEVICE float rsie_clamp(float v, float low, float high)
{
	v = v > high ? high : v;
	return v < low ? low : v;
}

/* Fills what the observation and the next step share. */
DEVICE void rsie_look(int dynamics, rsie_episode *e)
{
	switch (dynamics) {
	case DYN_CARTPOLE:
	case DYN_SWINGUP: rsie_sincos(e->s2, &e->sin0, &e->cos0); break;
	case DYN_ACROBOT:
		rsie_sincos(e->s0, &e->sin0, &e->cos0);
		rsie_sincos(e->s1, &e->sin1, &e->cos1);
		break;
	case DYN_PENDULUM: rsie_sincos(e->s0, &e->sin0, &e->cos0); break;
	}
}

/* Value k of the observation. */
DEVICE float rsie_observe(int dynamics, const rsie_episode *e, int k)
{
	switch (dynamics) {
	case DYN_SWINGUP: return k == 0 ? e->s0 : k == 1 ? e->s1 : k == 2 ? e->cos0 : k == 3 ? e->sin0 : e->s3;
	case DYN_ACROBOT:
		return k == 0 ? e->cos0 : k == 1 ? e->sin0 : k == 2 ? e->cos1 : k == 3 ? e->sin1 : k == 4 ? e->s2 : e->s3;
	case DYN_PENDULUM: return k == 0 ? e->cos0 : k == 1 ? e->sin0 : e->s1;
	}
	return k == 0 ? e->s0 : k == 1 ? e->s1 : k == 2 ? e->s2 : e->s3;
}

/* One Euler step of 0.02 s, the positions by the old velocities. */
DEVICE void rsie_move_cart(const rsie_program *p, rsie_episode *e, float force)
{
	float t = (force + p->moment * e->s3 * e->s3 * e->sin0) / p->total_mass;
	float angular = (9.8f * e->sin0 - e->cos0 * t) /
		(p->half_length * ((float)(4.0 / 3.0) - p->pole_mass * e->cos0 * e->cos0 / p->total_mass));
	float linear = t - p->moment * angular * e->cos0 / p->total_mass;
	e->s0 = e->s0 + 0.02f * e->s1;
	e->s1 = e->s1 + 0.02f * linear;
	e->s2 = e->s2 + 0.02f * e->s3;
	e->s3 = e->s3 + 0.02f * angular;
	rsie_sincos(e->s2, &e->sin0, &e->cos0);
}

DEVICE float rsie_step_cartpole(const rsie_program *p, rsie_episode *e, float action, int32_t *ended)
{
	const float limit = (float)(12.0 * 2.0 * 3.14159265358979323846 / 360.0);
	rsie_move_cart(p, e, action == 0.0f ? -p->force : p->force);
	*ended = (e->s0 < -2.4f) | (e->s0 > 2.4f) | (e->s2 < -limit) | (e->s2 > limit);
	return 1.0f;
}

DEVICE float rsie_step_swingup(const rsie_program *p, rsie_episode *e, float action, int32_t *ended)
{
	rsie_move_cart(p, e, p->force * action);
	*ended = (e->s0 < -2.4f) | (e->s0 > 2.4f);
	return *ended ? 0.0f : (1.0f + e->cos0) / 2.0f;
}

/* The angular accelerations of the two links. */
DEVICE void rsie_slope_acrobot(const rsie_episode *e, float w1, float w2, float torque, float *a1, float *a2)
{
	float d1 = 0.25f + (1.25f + e->cos1) + 2.0f, d2 = 0.25f + 0.5f * e->cos1 + 1.0f;
	float phi2 = 4.9f * (e->sin0 * e->cos1 + e->cos0 * e->sin1);
	float phi1 = -0.5f * w2 * w2 * e->sin1 - w2 * w1 * e->sin1 + 14.7f * e->sin0 + phi2;
	float b = (torque + d2 / d1 * phi1 - 0.5f * w1 * w1 * e->sin1 - phi2) / (1.25f - d2 * d2 / d1);
	*a2 = b;
	*a1 = -(d2 * b + phi1) / d1;
}

/* The slopes k at the state that follows from e by the slopes k in a time h. */
DEVICE void rsie_stage_acrobot(const rsie_episode *e, float h, float torque, float *k0, float *k1, float *k2, float *k3)
{
	rsie_episode mid;
	mid.s0 = e->s0 + h * *k0;
	mid.s1 = e->s1 + h * *k1;
	mid.s2 = e->s2 + h * *k2;
	mid.s3 = e->s3 + h * *k3;
	rsie_sincos(mid.s0, &mid.sin0, &mid.cos0);
	rsie_sincos(mid.s1, &mid.sin1, &mid.cos1);
	*k0 = mid.s2;
	*k1 = mid.s3;
	rsie_slope_acrobot(&mid, mid.s2, mid.s3, torque, k2, k3);
}

/* One Runge-Kutta step of 0.2 s with the torque held. */
DEVICE float rsie_step_acrobot(const rsie_program *p, rsie_episode *e, float action, int32_t *ended)
{
	(void)p;
	float torque = action - 1.0f;
	float k0 = e->s2, k1 = e->s3, k2, k3;
	rsie_slope_acrobot(e, e->s2, e->s3, torque, &k2, &k3);
	float sum0 = k0, sum1 = k1, sum2 = k2, sum3 = k3;
	rsie_stage_acrobot(e, 0.1f, torque, &k0, &k1, &k2, &k3);
	sum0 = sum0 + 2.0f * k0, sum1 = sum1 + 2.0f * k1, sum2 = sum2 + 2.0f * k2, sum3 = sum3 + 2.0f * k3;
	rsie_stage_acrobot(e, 0.1f, torque, &k0, &k1, &k2, &k3);
	sum0 = sum0 + 2.0f * k0, sum1 = sum1 + 2.0f * k1, sum2 = sum2 + 2.0f * k2, sum3 = sum3 + 2.0f * k3;
	rsie_stage_acrobot(e, 0.2f, torque, &k0, &k1, &k2, &k3);
	sum0 = sum0 + k0, sum1 = sum1 + k1, sum2 = sum2 + k2, sum3 = sum3 + k3;
	const float sixth = (float)(0.2 / 6.0);
	e->s0 = rsie_wrap(e->s0 + sixth * sum0);
	e->s1 = rsie_wrap(e->s1 + sixth * sum1);
	e->s2 = rsie_clamp(e->s2 + sixth * sum2, -4.0f * RSIE_PI, 4.0f * RSIE_PI);
	e->s3 = rsie_clamp(e->s3 + sixth * sum3, -9.0f * RSIE_PI, 9.0f * RSIE_PI);
	rsie_sincos(e->s0, &e->sin0, &e->cos0);
	rsie_sincos(e->s1, &e->sin1, &e->cos1);
	*ended = -e->cos0 - (e->cos0 * e->cos1 - e->sin0 * e->sin1) > 1.0f;
	return *ended ? 0.0f : -1.0f;
}

/* Adds push and gravity to the velocity, then moves; the left wall stops the car. Returns where the car
 * is when it moves to the right or stands, else a place behind the wall. */
DEVICE float rsie_move_car(rsie_episode *e, float push)
{
	float s, c;
	rsie_sincos(3.0f * e->s0, &s, &c);
	float v = rsie_clamp(e->s1 + push - 0.0025f * c, -0.07f, 0.07f);
	float x = e->s0 + v, forth = v < 0.0f ? 0.0f : v;
	e->s1 = x <= -1.2f ? forth : v;
	e->s0 = rsie_clamp(x, -1.2f, 0.6f);
	return v >= 0.0f ? e->s0 : -2.0f;
}

DEVICE float rsie_step_mountaincar(const rsie_program *p, rsie_episode *e, float action, int32_t *ended)
{
	(void)p;
	*ended = rsie_move_car(e, (action - 1.0f) * 0.001f) >= 0.5f;
	return -1.0f;
}

DEVICE float rsie_step_mountaincar_continuous(const rsie_program *p, rsie_episode *e, float action, int32_t *ended)
{
	(void)p;
	*ended = rsie_move_car(e, rsie_clamp(action, -1.0f, 1.0f) * 0.0015f) >= 0.45f;
	return (*ended ? 100.0f : 0.0f) - 0.1f * action * action;
}

DEVICE float rsie_step_pendulum(const rsie_program *p, rsie_episode *e, float action, int32_t *ended)
{
	(void)p;
	float u = rsie_clamp(2.0f * action, -2.0f, 2.0f);
	float angle = rsie_wrap(e->s0);
	float reward = -(angle * angle + 0.1f * e->s1 * e->s1 + 0.001f * u * u);
	e->s1 = rsie_clamp(e->s1 + (15.0f * e->sin0 + 3.0f * u) * 0.05f, -8.0f, 8.0f);
	e->s0 = e->s0 + 0.05f * e->s1;
	rsie_sincos(e->s0, &e->sin0, &e->cos0);
	*ended = 0;
	return reward;
}
#endif
