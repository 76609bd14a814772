"""The functions of TestDistributions, for numpy and jax arrays alike.

D is 10 and y_j = x_j - sin(j): the optimum lies off the diagonal and off the origin.
sphere sum y_j^2; ellipsoid sum 10^(4 j/9) y_j^2; rotated the same of y - 2 v (v.y)/(v.v),
v_j = 1 + cos(j); rosenbrock sum 100 (a_j^2 - a_(j+1))^2 + (a_j - 1)^2, a = y + 1.
"""

import numpy as np

D = 10
J = np.arange(D)
V = 1 + np.cos(J)


def sphere(x):
    y = x - np.sin(J)
    return (y**2).sum(-1)


def ellipsoid(x):
    y = x - np.sin(J)
    return (10 ** (4 * J / (D - 1)) * y**2).sum(-1)


def rotated(x):
    y = x - np.sin(J)
    y = y - 2 * (y @ V)[..., None] * V / (V @ V)
    return (10 ** (4 * J / (D - 1)) * y**2).sum(-1)


def rosenbrock(x):
    v = x - np.sin(J) + 1
    a, b = v[..., :-1], v[..., 1:]
    return (100 * (a**2 - b) ** 2 + (a - 1) ** 2).sum(-1)


FUNCTIONS = (sphere, ellipsoid, rotated, rosenbrock)
