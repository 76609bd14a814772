"""The functions of TestDistributions, for numpy and jax arrays alike.

y_j = x_j - sin(j), j < D: the optimum lies off the diagonal and off the origin.
sphere sum y_j^2; ellipsoid sum 10^(4 j/(D-1)) y_j^2; rotated the same of y - 2 v (v.y)/(v.v),
v_j = 1 + cos(j); rosenbrock sum 100 (a_j^2 - a_(j+1))^2 + (a_j - 1)^2, a = y + 1.
"""

import numpy as np



def sphere(x):
    y = x - np.sin(np.arange(x.shape[-1]))
    return (y**2).sum(-1)


def ellipsoid(x):
    j = np.arange(x.shape[-1])
    return (10 ** (4 * j / (len(j) - 1)) * (x - np.sin(j)) ** 2).sum(-1)


def rotated(x):
    j = np.arange(x.shape[-1])
    y, v = x - np.sin(j), 1 + np.cos(j)
    y = y - 2 * (y @ v)[..., None] * v / (v @ v)
    return (10 ** (4 * j / (len(j) - 1)) * y**2).sum(-1)


def rosenbrock(x):
    v = x - np.sin(np.arange(x.shape[-1])) + 1
    a, b = v[..., :-1], v[..., 1:]
    return (100 * (a**2 - b) ** 2 + (a - 1) ** 2).sum(-1)


FUNCTIONS = (sphere, ellipsoid, rotated, rosenbrock)
