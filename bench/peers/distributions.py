"""Writes the best fitness of 30 runs of other programs' algorithms to
bench/testdata/distributions.csv, for TestDistributions: evosax 0.3.2, pycma 4.5.0, and papers.py
beside this file. Names are those of rsie's baselines; settings that differ from the baseline's
stand in peerChanges of bench/distributions_test.go.

Starts are normal in every coordinate, in shade and l-shade uniform in [-5,5]; 2,000 evaluations:
40 generations of 50 (gesmr-ga: 51), the first population of population-based algorithms included,
in 10 dimensions; lm-ma-es, whose constants are for many parameters, 8,500 in 80.

Run from the repository root: python bench/peers/distributions.py
(needs evosax==0.3.2, cma==4.5.0, scipy, numpy).
"""

import csv

import jax

jax.config.update("jax_enable_x64", True)
import cma
import jax.numpy as jnp
import numpy as np
import optax
import papers
from evosax.algorithms.distribution_based.cma_es import CMA_ES
from evosax.algorithms.distribution_based.cr_fm_nes import CR_FM_NES
from evosax.algorithms.distribution_based.discovered_es import DiscoveredES
from evosax.algorithms.distribution_based.open_es import Open_ES
from evosax.algorithms.distribution_based.pgpe import PGPE
from evosax.algorithms.distribution_based.sep_cma_es import Sep_CMA_ES
from evosax.algorithms.distribution_based.snes import SNES
from evosax.algorithms.population_based.differential_evolution import DifferentialEvolution
from evosax.algorithms.population_based.gesmr_ga import GESMR_GA
from evosax.algorithms.population_based.samr_ga import SAMR_GA
from evosax.algorithms.population_based.simple_ga import SimpleGA
from evosax.core.optimizer import clipup
from functions import FUNCTIONS

D, GENERATIONS, SEEDS, BUDGET = 10, 40, 30, 2000


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


def of_evosax():
    x = jnp.zeros(D)
    de = DifferentialEvolution(50, x)
    for name, elitism in (("de-best-1-bin", True), ("de-rand-1-bin", False)):
        yield name, of_population, de, de.default_params.replace(
            elitism=elitism, crossover_rate=0.9, differential_weight=0.5)
    ga = SimpleGA(50, x, std_schedule=optax.constant_schedule(0.3))
    for name, es in (("samr-ga", SAMR_GA(50, x)), ("gesmr-ga", GESMR_GA(51, x, num_groups=10)),
                     ("simple-ga-default", ga)):
        yield name, of_population, es, es.default_params
    for name, es in (
        ("des-default", DiscoveredES(50, x, optimizer=optax.sgd(learning_rate=1.0))),
        ("cr-fm-nes-default", CR_FM_NES(50, x)),
        ("snes-default", SNES(50, x)),
        ("sep-cma-es-default", Sep_CMA_ES(50, x)),
        ("cma-es-tuned", CMA_ES(50, x)),
        ("openai-es-default", Open_ES(50, x, optimizer=optax.adam(0.1), std_schedule=optax.constant_schedule(0.3))),
        ("pgpe-default", PGPE(50, x, optimizer=clipup(learning_rate=0.3, max_velocity=0.6))),
    ):
        yield name, of_distribution, es, es.default_params


def pycma(f, d, budget, rng):
    off = {"tolfun": 0, "tolfunhist": 0, "tolfunrel": 0, "tolx": 0, "tolstagnation": 10**9,
           "tolflatfitness": 10**9, "tolconditioncov": False, "maxiter": 10**9}
    es = cma.CMAEvolutionStrategy(rng.standard_normal(d), 0.5, off | {
        "maxfevals": budget, "verbose": -9, "seed": int(rng.integers(1, 2**31))})
    best = np.inf
    while not es.stop():
        x = es.ask()
        values = f(np.array(x))
        es.tell(x, values.tolist())
        best = min(best, values.min())
    return best


def of_numpy():
    yield "cma-es", "pycma 4.5.0", pycma
    for name, run in (("xnes", papers.xnes), ("shade", papers.shade), ("l-shade", papers.lshade),
                      ("one-plus-one-es", papers.one_plus_one)):
        yield name, "from its paper", run


with open("bench/testdata/distributions.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["strategy", "program", "function", "seed", "best"])

    def write(name, program, f, best):
        for seed, v in enumerate(best):
            out.writerow([name, program, f.__name__, seed, f"{v:.6g}"])
        print(name, f.__name__, np.median(best), flush=True)

    for f in FUNCTIONS:
        for name, kind, es, params in of_evosax():
            keys = jax.random.split(jax.random.key(3), SEEDS)
            write(name, "evosax 0.3.2", f, np.array(jax.jit(jax.vmap(kind(es, params, f)))(keys)))
        for name, program, run in of_numpy():
            write(name, program, f, [run(f, D, BUDGET, np.random.default_rng(s)) for s in range(SEEDS)])
        write("lm-ma-es", "from its paper", f,
              [papers.lmmaes(f, 80, 8500, np.random.default_rng(s)) for s in range(SEEDS)])
