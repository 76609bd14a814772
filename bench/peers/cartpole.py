"""Whole episodes of CartPole: 1,024 policies 4-32-2 tanh, the action by argmax, four episodes of
at most 500 steps each. Rates are live steps a second: those before the end of an episode.

Usage: cartpole.py jax|evosax live|untrained. live: policies that balance all 500 steps.
"""

import sys

from timing import measure

import numpy as np

LIB, KIND = sys.argv[1:]
MEMBERS, EPISODES, STEPS = 1024, 4, 500
SHAPES = ((4, 32), (32, 2))


def population():
    rng = np.random.default_rng(0)
    biases = [np.zeros((MEMBERS, b), np.float32) for _, b in SHAPES]
    if KIND == "untrained":
        return [(rng.standard_normal((MEMBERS, a, b)) / a**0.5).astype(np.float32) for a, b in SHAPES], biases
    weights = [np.zeros((MEMBERS, a, b)) for a, b in SHAPES]
    weights[0][:, :, 0] = np.array([0.1, 0.2, 2.0, 0.5])  # one unit balances
    weights[1][:, 0] = np.array([-1, 1])
    return [(w + 1e-4 * rng.standard_normal(w.shape)).astype(np.float32) for w in weights], biases


def report(way, call, live):
    """live turns a result into the number of live steps."""

    def check(result):
        share = float(live(result)) / (MEMBERS * EPISODES * STEPS)
        assert (share == 1) if KIND == "live" else (0.02 < share < 0.5), share

    measure(f"{LIB} {way}", call, lambda result: float(live(result)), check)


def run_evosax():
    import jax
    import jax.numpy as jnp
    from evosax.problems.networks import MLP
    from evosax.problems.rl.gymnax import GymnaxProblem

    policy = MLP(layer_sizes=(32, 2), activation=jnp.tanh, output_fn=lambda x, key: jnp.argmax(x, -1))
    problem = GymnaxProblem("CartPole-v1", policy, episode_length=STEPS, num_rollouts=EPISODES,
                            use_normalize_obs=False)
    key = jax.random.key(0)
    state = problem.init(key)
    weights, biases = population()
    params = {"params": {f"Dense_{k}": {"kernel": jnp.asarray(w), "bias": jnp.asarray(b)}
                         for k, (w, b) in enumerate(zip(weights, biases))}}
    report("GymnaxProblem.eval", lambda: problem.eval(key, params, state)[0], lambda f: f.sum() * EPISODES)


def run_jax():
    import jax
    import jax.numpy as jnp

    def physics(s, action):
        x, x_dot, theta, theta_dot = s
        force = jnp.where(action == 1, 10.0, -10.0)
        cos, sin = jnp.cos(theta), jnp.sin(theta)
        temp = (force + 0.05 * theta_dot**2 * sin) / 1.1
        acc = (9.8 * sin - cos * temp) / (0.5 * (4.0 / 3.0 - 0.1 * cos**2 / 1.1))
        x_acc = temp - 0.05 * acc * cos / 1.1
        return jnp.stack([x + 0.02 * x_dot, x_dot + 0.02 * x_acc, theta + 0.02 * theta_dot, theta_dot + 0.02 * acc])

    def sums(h, w):
        return (h[:, :, None] * w).sum(1)

    def step(params, carry, product):
        s, alive, count, t = carry
        (w1, b1), (w2, b2) = params
        action = jnp.argmax(product(jnp.tanh(product(s.T, w1) + b1), w2) + b2, -1)
        s = physics(s, action)
        count = count + alive
        alive = alive & (jnp.abs(s[0]) <= 2.4) & (jnp.abs(s[2]) <= 0.2094395)
        return s, alive, count, t + 1

    def start(key):
        first = jax.random.uniform(key, (4, EPISODES), minval=-0.05, maxval=0.05)
        return first, jnp.ones(EPISODES, bool), jnp.zeros(EPISODES, jnp.int32), 0

    def scan(product):
        def member(params, key):
            return jax.lax.scan(lambda c, _: (step(params, c, product), None), start(key), None, STEPS)[0][2]

        return jax.jit(jax.vmap(member))

    def ending(params, key):
        return jax.lax.while_loop(lambda c: (c[3] < STEPS) & c[1].any(),
                                  lambda c: step(params, c, jnp.matmul), start(key))[2]

    keys = jax.random.split(jax.random.key(0), MEMBERS)
    weights, biases = population()
    params = [(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(weights, biases)]
    mapped = jax.jit(lambda p, k: jax.lax.map(lambda pk: ending(*pk), (p, k), batch_size=32))
    ways = {"vmap + scan, products as sums": scan(sums)}
    if KIND == "untrained":  # ways that stop where all episodes are over
        ways |= {"vmap + while_loop": jax.jit(jax.vmap(ending)), "lax.map of vmap 32 + while_loop": mapped}
    for name, way in ways.items():
        report(name, lambda: way(params, keys), lambda r: r.sum())


globals()[f"run_{LIB}"]()
