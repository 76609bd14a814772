"""Thin singular value decompositions of a batch of normal matrices. Rates are matrices a second.

Usage: svd.py jax|torch ROWS COLUMNS BATCH
"""

import sys

from timing import measure

import numpy as np

LIB = sys.argv[1]
ROWS, COLUMNS, BATCH = map(int, sys.argv[2:])
a = np.random.default_rng(0).standard_normal((BATCH, ROWS, COLUMNS), dtype=np.float32)


def exact(result):
    u, s, vt = (np.asarray(v) for v in result)
    assert np.abs((u * s[:, None]) @ vt - a).max() < 1e-4


if LIB == "torch":
    import torch

    torch.set_num_threads(1)
    given = torch.from_numpy(a)
    svd = lambda m: torch.linalg.svd(m, full_matrices=False)
else:
    import jax
    import jax.numpy as jnp

    given = jnp.asarray(a)
    svd = jax.jit(lambda m: jnp.linalg.svd(m, full_matrices=False))
measure(LIB, lambda: svd(given), BATCH, exact)
