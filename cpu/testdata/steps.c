/* Reads lines "system s0 s1 s2 s3 action" and writes the state after one step of dynamics.h, the reward
 * and whether the episode ended. */
#include "dynamics.h"
#include <stdio.h>

int main(void)
{
	rsie_program p = {0};
	rsie_episode e = {0};
	float action;
	p.force = 10, p.pole_mass = 0.1f, p.half_length = 0.5f, p.total_mass = 1.1f, p.moment = 0.05f;
	while (scanf("%d %f %f %f %f %f", &p.dynamics, &e.s0, &e.s1, &e.s2, &e.s3, &action) == 6) {
		int32_t ended = 0;
		float reward = 0;
		rsie_look(p.dynamics, &e);
		switch (p.dynamics) {
		case DYN_CARTPOLE: reward = rsie_step_cartpole(&p, &e, action, &ended); break;
		case DYN_SWINGUP: reward = rsie_step_swingup(&p, &e, action, &ended); break;
		case DYN_ACROBOT: reward = rsie_step_acrobot(&p, &e, action, &ended); break;
		case DYN_MOUNTAINCAR: reward = rsie_step_mountaincar(&p, &e, action, &ended); break;
		case DYN_MOUNTAINCAR_CONTINUOUS: reward = rsie_step_mountaincar_continuous(&p, &e, action, &ended); break;
		case DYN_PENDULUM: reward = rsie_step_pendulum(&p, &e, action, &ended); break;
		}
		printf("%.9g %.9g %.9g %.9g %.9g %d\n", e.s0, e.s1, e.s2, e.s3, reward, (int)ended);
	}
	return 0;
}
