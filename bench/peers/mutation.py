"""Gaussian mutation of a population: a child is its parent, plus 0.01 times a normal number in a
tenth of its genes. Rates are elements a second.

Usage: mutation.py numpy|torch MEMBERS GENES
"""

import sys

from timing import measure

LIB = sys.argv[1]
MEMBERS, GENES = map(int, sys.argv[2:])
RATE, STRENGTH = 0.1, 0.01


def report(way, call):
    measure(f"{LIB} {way}", call, MEMBERS * GENES)


def run_numpy():
    """Draws the gaps between mutated genes, which are geometric, instead of a coin for each."""
    import numpy as np

    rng = np.random.Generator(np.random.SFC64(0))
    parents = rng.standard_normal((MEMBERS, GENES), dtype=np.float32)
    child = np.empty_like(parents)
    total = MEMBERS * GENES

    def mutate():
        np.copyto(child, parents)
        place = np.cumsum(rng.geometric(RATE, int(total * RATE * 1.05) + 200)) - 1
        place = place[:np.searchsorted(place, total)]
        child.reshape(-1)[place] += np.float32(STRENGTH) * rng.standard_normal(len(place), dtype=np.float32)

    report("SFC64, geometric gaps", mutate)


def run_torch():
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    parents = torch.randn(MEMBERS, GENES)
    child, coin = torch.empty_like(parents), torch.empty_like(parents)

    def in_place():
        child.normal_(0.0, STRENGTH)
        child.mul_(coin.uniform_() < RATE).add_(parents)

    def plain(p):
        return p + STRENGTH * torch.randn(MEMBERS, GENES) * (torch.rand(MEMBERS, GENES) < RATE)

    fused = torch.compile(plain, fullgraph=True)
    report("eager, in place", in_place)
    report("torch.compile", lambda: fused(parents))


globals()[f"run_{LIB}"]()
