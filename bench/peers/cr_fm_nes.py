"""Writes steps of CR-FM-NES in float64 by the authors' package and by evosax 0.3.2, which drops
the negative weights of near samples, to cpu/testdata/cr_fm_nes.json.

Run from the repository root: python bench/peers/cr_fm_nes.py (needs evosax==0.3.2, crfmnes).
"""

import json

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
from crfmnes import CRFMNES
from evosax.algorithms.distribution_based.cr_fm_nes import CR_FM_NES

FIELDS = ("mean", "std", "p_std", "p_c", "D", "v")


def numbers(state):
    return {k: jnp.asarray(getattr(state, k)).tolist() for k in FIELDS}


def run(dim, members, steps, scale):
    es = CR_FM_NES(population_size=members, solution=jnp.zeros(dim))
    params = es.default_params.replace(std_init=0.7)
    key = jax.random.key(dim)
    state = es.init(key, 1.0 + jnp.arange(dim) / dim, params)
    out = {"D": dim, "N": members, "negative": 0, "steps": []}
    out["rates"] = {
        "mu_eff": float(params.mu_eff), "c_std": float(params.c_std), "c_c": float(params.c_c),
        "c1": float(params.c1), "alpha": float(params.alpha_dist), "stag": float(params.lr_stag_std),
        "conv": float(params.lr_conv_std), "lr_B": float(params.lr_B),
    }
    for _ in range(steps):
        key, a, b = jax.random.split(key, 3)
        x, state = es.ask(a, state, params)
        fitness = jnp.sum((x - jnp.sin(jnp.arange(dim))) ** 2 * scale ** jnp.arange(dim), axis=1)
        step = {"before": numbers(state), "x": x.tolist(), "fitness": fitness.tolist()}
        state, _ = es.tell(b, x, fitness, state, params)
        step["after"] = numbers(state)
        out["steps"].append(step)
    return out



def authors(dim, members, steps, scale):
    fitness = []

    def f(x):
        fitness.append(float(np.sum((x[:, 0] - np.sin(np.arange(dim))) ** 2 * scale ** np.arange(dim))))
        return fitness[-1]

    es = CRFMNES(dim, f, (1.0 + np.arange(dim) / dim).reshape(dim, 1), 0.7, members, seed=dim)
    n = members
    out = {"D": dim, "N": n, "negative": 1, "steps": []}
    out["rates"] = {
        "mu_eff": float(es.mueff), "c_std": float(es.cs), "c_c": float(es.cc), "c1": float(es.c1(n)),
        "alpha": float(es.alpha_dist(n)), "stag": es.eta_stag_sigma(n), "conv": es.eta_conv_sigma(n),
        "lr_B": float(es.eta_B(n)),
    }

    def now():
        flat = lambda a: np.ravel(a).tolist()
        return {"mean": flat(es.m), "std": float(es.sigma), "p_std": flat(es.ps), "p_c": flat(es.pc),
                "D": flat(es.D), "v": flat(es.v)}

    for _ in range(steps):
        fitness.clear()
        step = {"before": now()}
        x, _, _ = es.one_iteration()
        step.update(x=[v.tolist() for v in x], fitness=list(fitness), after=now())
        out["steps"].append(step)
    return out


with open("cpu/testdata/cr_fm_nes.json", "w") as f:
    runs = [authors(6, 8, 12, 3.0), authors(40, 16, 6, 1.1), run(6, 8, 6, 3.0)]
    json.dump({"programs": ["crfmnes 1.0.0", "evosax 0.3.2"], "runs": runs}, f)
