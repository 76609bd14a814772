"""Writes the best fitness of 30 seeds of evosax 0.3.2's algorithms to
bench/testdata/distributions.json, for TestDistributions.

Starts are normal in every coordinate, populations of 50 (gesmr-ga: 51), 40 generations, the first
population of population-based algorithms among them. D is 10. Functions, x_j - sin(j) = y_j:
ellipsoid sum 10^(4 j/9) y_j^2, rosenbrock sum 100 (v_j^2 - v_(j+1))^2 + (v_j - 1)^2, v = y + 1.

Run from the repository root: python bench/peers/distributions.py (needs evosax==0.3.2).
"""

import json

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import optax
from evosax.algorithms.distribution_based.cr_fm_nes import CR_FM_NES
from evosax.algorithms.distribution_based.discovered_es import DiscoveredES
from evosax.algorithms.population_based.differential_evolution import DifferentialEvolution
from evosax.algorithms.population_based.gesmr_ga import GESMR_GA
from evosax.algorithms.population_based.samr_ga import SAMR_GA

D, GENERATIONS, SEEDS = 10, 40, 30


def ellipsoid(x):
    y = x - jnp.sin(jnp.arange(D))
    return jnp.sum(10 ** (4 * jnp.arange(D) / (D - 1)) * y**2, axis=-1)


def rosenbrock(x):
    v = x - jnp.sin(jnp.arange(D)) + 1
    a, b = v[..., :-1], v[..., 1:]
    return jnp.sum(100 * (a**2 - b) ** 2 + (a - 1) ** 2, axis=-1)


def of_population(es, params, f):
    def one(key):
        key, a, b = jax.random.split(key, 3)
        x = jax.random.normal(a, (es.population_size, D))
        state = es.init(b, x, f(x), params)
        return loop(es, params, f, key, state, jnp.min(f(x)), GENERATIONS - 1)

    return one


def of_distribution(es, params, f):
    def one(key):
        key, a, b = jax.random.split(key, 3)
        state = es.init(b, jax.random.normal(a, (D,)), params)
        return loop(es, params, f, key, state, jnp.inf, GENERATIONS)

    return one


def loop(es, params, f, key, state, best, generations):
    def step(carry, _):
        key, state, best = carry
        key, a, b = jax.random.split(key, 3)
        x, state = es.ask(a, state, params)
        fitness = f(x)
        state, _ = es.tell(b, x, fitness, state, params)
        return (key, state, jnp.minimum(best, jnp.min(fitness))), None

    (_, _, best), _ = jax.lax.scan(step, (key, state, best), None, length=generations)
    return best


def algorithms():
    x = jnp.zeros(D)
    de = DifferentialEvolution(50, x)
    for name, elitism in (("de-best-1-bin", True), ("de-rand-1-bin", False)):
        yield name, of_population, de, de.default_params.replace(
            elitism=elitism, crossover_rate=0.9, differential_weight=0.5)
    for name, es in (("samr-ga", SAMR_GA(50, x)), ("gesmr-ga", GESMR_GA(51, x, num_groups=10))):
        yield name, of_population, es, es.default_params
    es = DiscoveredES(50, x, optimizer=optax.sgd(learning_rate=1.0))
    yield "des-default", of_distribution, es, es.default_params
    es = CR_FM_NES(50, x)
    yield "cr-fm-nes", of_distribution, es, es.default_params


out = {}
for name, kind, es, params in algorithms():
    for f in (ellipsoid, rosenbrock):
        keys = jax.random.split(jax.random.key(3), SEEDS)
        best = jax.jit(jax.vmap(kind(es, params, f)))(keys)
        out.setdefault(name, {})[f.__name__] = [float(v) for v in best]
        print(name, f.__name__, float(jnp.median(best)), flush=True)
with open("bench/testdata/distributions.json", "w") as f:
    json.dump({"program": "evosax 0.3.2", "best": out}, f, indent=1)
