"""64 runs of one algorithm of evosax with different settings: populations of 50, 200 generations,
network 4-32-3 tanh (259 parameters) on 150 samples. Rates are member evaluations a second.

Usage: runs.py SimpleGA|Open_ES scan|vmap|loop
scan: one compiled scan for each run in turn. vmap: one over all runs. loop: ask and tell from
Python as in evosax's examples, of eight of the runs.
"""

import sys

from timing import measure

import jax
import jax.numpy as jnp
import numpy as np
import optax
from evosax.algorithms import Open_ES, SimpleGA

ALGORITHM, WAY = sys.argv[1:]
RUNS, MEMBERS, GENERATIONS, SAMPLES = 64, 50, 200, 150
SHAPES = ((4, 32), (32, 3))
DIM = sum(a * b + b for a, b in SHAPES)

rng = np.random.default_rng(0)
labels = np.arange(SAMPLES) % 3
x = jnp.asarray((rng.standard_normal((3, 4)) * 2)[labels] + rng.standard_normal((SAMPLES, 4)), jnp.float32)
y = jnp.asarray(labels)
strengths = jnp.asarray(np.geomspace(0.03, 0.3, RUNS), jnp.float32)
keys = jax.random.split(jax.random.key(0), RUNS)

algorithm = SimpleGA(MEMBERS, jnp.zeros(DIM)) if ALGORITHM == "SimpleGA" else \
    Open_ES(MEMBERS, jnp.zeros(DIM), optimizer=optax.adam(0.05))
params = algorithm.default_params


@jax.vmap
def losses(flat):
    h, at = x, 0
    for k, (a, b) in enumerate(SHAPES):
        h = h @ flat[at:at + a * b].reshape(a, b) + flat[at + a * b:at + a * b + b]
        at += a * b + b
        h = jnp.tanh(h) if k < 1 else h
    return (jax.nn.logsumexp(h, 1) - jnp.take_along_axis(h, y[:, None], 1)[:, 0]).mean()


def init(key, strength):
    if ALGORITHM == "SimpleGA":
        start = 0.3 * jax.random.normal(key, (MEMBERS, DIM))
        state = algorithm.init(key, start, losses(start), params)
    else:
        state = algorithm.init(key, jnp.zeros(DIM), params)
    return state.replace(std=strength)


def step(state, key):
    ask_key, tell_key = jax.random.split(key)
    population, asked = algorithm.ask(ask_key, state, params)
    told = algorithm.tell(tell_key, population, losses(population), asked, params)[0]
    return told.replace(std=state.std), None


def run(key, strength):
    init_key, key = jax.random.split(key)
    return jax.lax.scan(step, init(init_key, strength), jax.random.split(key, GENERATIONS))[0].best_fitness


def loop():
    best, jit_init, jit_losses = [], jax.jit(init), jax.jit(losses)
    for key, strength in list(zip(keys, strengths))[::8]:
        key, init_key = jax.random.split(key)
        state = jit_init(init_key, strength)
        for _ in range(GENERATIONS):
            key, ask_key, tell_key = jax.random.split(key, 3)
            population, state = algorithm.ask(ask_key, state, params)
            state, _ = algorithm.tell(tell_key, population, jit_losses(population), state, params)
            state = state.replace(std=strength)
        best.append(state.best_fitness)
    return jnp.stack(best)


def check(best):
    best = np.asarray(best)
    assert np.isfinite(best).all() and best.mean() < 0.9, best


one, all_runs = jax.jit(run), jax.jit(jax.vmap(run))
call, count, words = {
    "scan": (lambda: jnp.stack([one(*kr) for kr in zip(keys, strengths)]), RUNS, "one jitted scan per run"),
    "vmap": (lambda: all_runs(keys, strengths), RUNS, "vmapped over runs"),
    "loop": (loop, 8, "ask and tell from Python"),
}[WAY]
measure(f"evosax {ALGORITHM}, {words}", call, count * MEMBERS * GENERATIONS, check)
