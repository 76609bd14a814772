"""One generation of ask and tell, population 256; the fitness is given, not evaluated. Rates are
generations a second.

Usage: generation.py evosax|evotorch|evox|numpy openai|snes|sep-cma GENES
"""

import sys

from timing import measure

import numpy as np

LIB, ALGORITHM, GENES = sys.argv[1], sys.argv[2], int(sys.argv[3])
MEMBERS, SCAN = 256, 5
FITNESS = np.sin(np.arange(MEMBERS)).astype(np.float32)


def run_evosax():
    import evosax.algorithms as algorithms
    import jax
    import jax.numpy as jnp

    name = {"openai": "Open_ES", "snes": "SNES", "sep-cma": "Sep_CMA_ES"}[ALGORITHM]
    es = getattr(algorithms, name)(MEMBERS, jnp.zeros(GENES))
    params, fitness, key = es.default_params, jnp.asarray(FITNESS), jax.random.key(0)

    def step(state, key):
        ask_key, tell_key = jax.random.split(key)
        population, state = es.ask(ask_key, state, params)
        return es.tell(tell_key, population, fitness, state, params)[0], None

    live = [es.init(key, jnp.ones(GENES), params), key]

    def generation():
        live[1], step_key = jax.random.split(live[1])
        live[0], _ = step(live[0], step_key)
        return live[0]

    start = live[0]
    scan = jax.jit(lambda state, key: jax.lax.scan(step, state, jax.random.split(key, SCAN))[0])
    measure(f"evosax {name} from Python", generation, 1)
    measure(f"evosax {name}, one jitted scan", lambda: scan(start, key), SCAN)


def given(population):
    import torch

    return torch.from_numpy(FITNESS)


def run_evotorch():
    import logging

    import torch
    from evotorch import Problem
    from evotorch.algorithms import CMAES, PGPE, SNES

    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    problem = Problem("min", given, solution_length=GENES, initial_bounds=(-1, 1), vectorized=True)
    if ALGORITHM == "openai":
        searcher = PGPE(problem, popsize=MEMBERS, stdev_init=1.0, center_learning_rate=0.05, stdev_learning_rate=0.0)
    elif ALGORITHM == "snes":
        searcher = SNES(problem, popsize=MEMBERS, stdev_init=1.0)
    else:
        searcher = CMAES(problem, popsize=MEMBERS, stdev_init=1.0, separable=True)
    measure(f"evotorch {type(searcher).__name__}", searcher.step, 1)


def run_evox():
    import torch
    from evox.algorithms import SNES, OpenES
    from evox.core import Problem
    from evox.workflows import StdWorkflow

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)

    class Given(Problem):
        def evaluate(self, population):
            return given(population)

    es = OpenES(MEMBERS, torch.ones(GENES), 0.01, 0.1) if ALGORITHM == "openai" else SNES(MEMBERS, torch.ones(GENES))
    workflow = StdWorkflow(es, Given())
    workflow.init_step()
    measure(f"evox {type(es).__name__}", workflow.step, 1)


def run_numpy():
    """OpenAI-ES by hand: noise in pairs, one product for the gradient."""
    rng = np.random.Generator(np.random.SFC64(0))
    half = MEMBERS // 2
    mean, noise = np.ones(GENES, np.float32), np.empty((half, GENES), np.float32)
    population = np.empty((MEMBERS, GENES), np.float32)

    def generation():
        rng.standard_normal(out=noise, dtype=np.float32)
        noise.__imul__(np.float32(0.1))
        np.add(mean, noise, out=population[:half])
        np.subtract(mean, noise, out=population[half:])
        mean[:] -= 0.001 * ((FITNESS[:half] - FITNESS[half:]) @ noise)

    measure("numpy by hand", generation, 1)


globals()[f"run_{LIB}"]()
