"""Algorithms written line by line from their papers, in numpy, where no package by the authors is
to be had or where a package says something else. Each returns the best fitness of a run.

xnes      T. Glasmachers et al., GECCO 2010, algorithm 1 and table 1. evosax 0.3.2's exponentiates
          the entries of a matrix one by one, so that its B never leaves the diagonal.
shade     R. Tanabe, A. Fukunaga, CEC 2013.
lshade    R. Tanabe, A. Fukunaga, CEC 2014.
one_plus_one  the success rule of S. Kern et al., Natural Computing 3, 2004: sigma alpha after a
          success, sigma alpha^(-1/4) after a failure, alpha = exp(0.16); the factor on the first
          sigma within [1e-6, 1e3] as in rsie, which ends the descent at precisions near 1e-13.
lmmaes    I. Loshchilov, T. Glasmachers, H.-G. Beyer, arXiv:1705.06693, algorithm 1. evosax 0.3.2's
          updates its vectors by the noise in the order of drawing, not of rank.
"""

import numpy as np
from scipy.linalg import expm

LOWER, UPPER = -5.0, 5.0


def xnes(f, d, budget, rng):
    n = 4 + int(3 * np.log(d))
    u = np.maximum(0, np.log(n / 2 + 1) - np.log(np.arange(1, n + 1)))
    u = u / u.sum() - 1 / n
    eta = (9 + 3 * np.log(d)) / (5 * d * np.sqrt(d))
    mean, a, best = rng.standard_normal(d), 0.5 * np.eye(d), np.inf
    for _ in range(budget // n):
        s = rng.standard_normal((n, d))
        fitness = f(mean + s @ a.T)
        s = s[np.argsort(fitness)]
        mean = mean + a @ (u @ s)
        a = a @ expm(eta / 2 * ((s.T * u) @ s - u.sum() * np.eye(d)))
        best = min(best, fitness.min())
    return best


def one_plus_one(f, d, budget, rng):
    two = rng.standard_normal((2, d))
    value = f(two)
    x, fx, sigma = two[np.argmin(value)], value.min(), 0.3
    for _ in range(budget - 2):
        y = x + sigma * rng.standard_normal(d)
        fy = f(y)
        sigma = np.clip(sigma * np.exp(0.16 if fy < fx else -0.04), 0.3e-6, 0.3e3)
        if fy <= fx:
            x, fx = y, fy
    return fx


def lmmaes(f, d, budget, rng):
    n = 4 + int(3 * np.log(d))
    mu, m = n // 2, 4 + int(3 * np.log(d))
    w = np.log(mu + 0.5) - np.log(np.arange(1, mu + 1))
    w = w / w.sum()
    mu_eff = 1 / (w**2).sum()
    c_s = 2 * n / d
    c_d = 1 / (1.5 ** np.arange(m) * d)
    c_c = n / (4.0 ** np.arange(m) * d)
    y, sigma, path, vectors, best = rng.standard_normal(d), 0.5, np.zeros(d), np.zeros((m, d)), np.inf
    for t in range(budget // n):
        z = rng.standard_normal((n, d))
        x = z.copy()
        for j in range(min(t, m)):
            x = (1 - c_d[j]) * x + c_d[j] * (x @ vectors[j])[:, None] * vectors[j]
        fitness = f(y + sigma * x)
        best = min(best, fitness.min())
        good = np.argsort(fitness)[:mu]
        y = y + sigma * w @ x[good]
        zw = w @ z[good]
        path = (1 - c_s) * path + np.sqrt(mu_eff * c_s * (2 - c_s)) * zw
        for i in range(m):
            vectors[i] = (1 - c_c[i]) * vectors[i] + np.sqrt(mu_eff * c_c[i] * (2 - c_c[i])) * zw
        sigma = sigma * np.exp(c_s / 2 * (path @ path / d - 1))
    return best


def strength(m, rng):
    while True:
        v = m + 0.1 * np.tan(np.pi * (rng.random() - 0.5))
        if v > 0:
            return min(v, 1)


def trial(x, order, archive, i, share, fi, cri, rng):
    """current-to-pbest/1/bin with an archive; coordinates outside go half way to the border."""
    n, d = x.shape
    p = x[order[rng.integers(share)]]
    r1 = rng.choice([k for k in range(n) if k != i])
    r2 = rng.choice([k for k in range(n + len(archive)) if k not in (i, r1)])
    other = x[r2] if r2 < n else archive[r2 - n]
    v = x[i] + fi * (p - x[i]) + fi * (x[r1] - other)
    v = np.where(v < LOWER, (LOWER + x[i]) / 2, np.where(v > UPPER, (UPPER + x[i]) / 2, v))
    mask = rng.random(d) < cri
    mask[rng.integers(d)] = True
    return np.where(mask, v, x[i])


def success_history(f, d, budget, rng, *, first, last, history, archived, linear):
    """SHADE (linear False) and L-SHADE (True)."""
    n = first
    x = rng.uniform(LOWER, UPPER, (n, d))
    fx = f(x)
    spent, archive, k = n, [], 0
    mf, mcr = np.full(history, 0.5), np.full(history, 0.5)
    while spent < budget:
        order = np.argsort(fx)
        entry = rng.integers(history, size=n)
        cr = np.array([0 if np.isnan(mcr[r]) else np.clip(rng.normal(mcr[r], 0.1), 0, 1) for r in entry])
        fs = np.array([strength(mf[r], rng) for r in entry])
        share = [max(2, round(0.11 * n))] * n if linear else np.round(rng.uniform(2 / n, 0.2, n) * n).astype(int)
        y = np.array([trial(x, order, archive, i, share[i], fs[i], cr[i], rng) for i in range(n)])
        y = y[: budget - spent]
        fy = f(y)
        spent += len(y)
        better = np.flatnonzero(fy < fx[: len(y)])
        gain = (fx[: len(y)] - fy)[better]
        archive += [x[i].copy() for i in better]
        same = np.flatnonzero(fy <= fx[: len(y)])
        x[same], fx[same] = y[same], fy[same]
        if len(better):
            w, sf, scr = gain / gain.sum(), fs[better], cr[better]
            mf[k] = (w * sf**2).sum() / (w * sf).sum()
            if not linear:
                mcr[k] = (w * scr).sum()
            elif np.isnan(mcr[k]) or scr.max() == 0:
                mcr[k] = np.nan
            else:
                mcr[k] = (w * scr**2).sum() / (w * scr).sum()
            k = (k + 1) % history
        if linear:
            n = round((last - first) / budget * spent + first)
            keep = np.sort(np.argsort(fx)[:n])
            x, fx = x[keep], fx[keep]
        while len(archive) > round(archived * n):
            archive.pop(rng.integers(len(archive)))
    return fx.min()


def shade(f, d, budget, rng):
    return success_history(f, d, budget, rng, first=100, last=100, history=100, archived=1, linear=False)


def lshade(f, d, budget, rng):
    return success_history(f, d, budget, rng, first=18 * d, last=4, history=6, archived=2.6, linear=True)
