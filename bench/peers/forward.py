"""A population of networks with one hidden layer of 32 tanh units, each with its own weights, on
one batch: the mean cross-entropy of every member. Rates are member-samples a second.

Usage: forward.py jax|evotorch|evox INPUTS OUTPUTS SAMPLES MEMBERS
"""

import sys

from timing import measure

import numpy as np

LIB = sys.argv[1]
INPUTS, OUTPUTS, SAMPLES, MEMBERS = map(int, sys.argv[2:])
SHAPES = ((INPUTS, 32), (32, OUTPUTS))


def population():
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((MEMBERS, a, b), dtype=np.float32) / np.float32(a**0.5) for a, b in SHAPES]
    biases = [rng.standard_normal((MEMBERS, b), dtype=np.float32) * np.float32(0.1) for _, b in SHAPES]
    x = rng.standard_normal((SAMPLES, INPUTS), dtype=np.float32)
    return weights, biases, x, rng.integers(0, OUTPUTS, SAMPLES)


def check(losses):
    """Compares the first members with float64."""
    weights, biases, x, y = population()
    losses = np.asarray(losses).ravel()
    assert losses.shape == (MEMBERS,)
    for i in range(4):
        h = np.tanh(x.astype(np.float64) @ weights[0][i] + biases[0][i]) @ weights[1][i] + biases[1][i]
        want = (np.log(np.exp(h).sum(1)) - h[np.arange(SAMPLES), y]).mean()
        assert np.isclose(losses[i], want, rtol=1e-4), (losses[i], want)


def report(way, call):
    measure(f"{LIB} {way}", call, MEMBERS * SAMPLES, check)


def run_jax():
    import jax
    import jax.numpy as jnp

    weights, biases, x, y = population()
    params = [(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(weights, biases)]
    x, y = jnp.asarray(x), jnp.asarray(y)

    def one(params, x, y):
        (w1, b1), (w2, b2) = params
        h = jnp.tanh(x @ w1 + b1) @ w2 + b2
        return (jax.nn.logsumexp(h, 1) - jnp.take_along_axis(h, y[:, None], 1)[:, 0]).mean()

    mapped = jax.jit(lambda p, x, y: jax.lax.map(lambda q: one(q, x, y), p, batch_size=16))
    report("lax.map of vmap 16", lambda: mapped(params, x, y))


def module():
    from torch import nn

    return nn.Sequential(nn.Linear(INPUTS, 32), nn.Tanh(), nn.Linear(32, OUTPUTS))


def run_evox():
    import torch
    from evox.problems.neuroevolution.supervised_learning import SupervisedLearningProblem
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    weights, biases, x, y = population()
    loader = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=SAMPLES)
    batch = list(loader)  # the loader's Python per sample is not what is timed
    problem = SupervisedLearningProblem(module(), batch, torch.nn.CrossEntropyLoss(), n_batch_per_eval=-1,
                                        pop_size=MEMBERS)
    params = {}
    for k in range(2):
        params[f"{2 * k}.weight"] = torch.from_numpy(weights[k]).transpose(1, 2).contiguous()
        params[f"{2 * k}.bias"] = torch.from_numpy(biases[k])
    report("SupervisedLearningProblem", lambda: problem.evaluate(params))


def run_evotorch():
    import logging

    import torch
    from evotorch.neuroevolution import SupervisedNE

    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    weights, biases, x, y = population()
    data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    problem = SupervisedNE(data, module, torch.nn.CrossEntropyLoss(), common_minibatch=True, minibatch_size=SAMPLES)
    batch = (torch.from_numpy(x), torch.from_numpy(y))
    problem.get_minibatch = lambda: batch  # the loader's Python per sample is not what is timed
    parts = [v for w, b in zip(weights, biases) for v in (w.transpose(0, 2, 1).reshape(MEMBERS, -1), b)]
    flat = torch.from_numpy(np.concatenate(parts, 1))
    solutions = problem.generate_batch(MEMBERS)

    def evaluate():
        solutions.set_values(flat)
        problem.evaluate(solutions)
        return solutions.evals

    report("SupervisedNE", evaluate)


globals()[f"run_{LIB}"]()
