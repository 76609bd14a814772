"""Writes the test vectors of this folder from independent programs.

    python3 -m venv v && v/bin/pip install coco-experiment==2.8.2 ioh==0.4.2
    v/bin/python testdata/vectors.py VECTORS testdata

VECTORS is a folder with bbob_{2,3,5,10,20,40}d.json of the project's vector collection (written
by cocoex too); README.md states what is kept of it.
"""
import itertools, json, math, os, random, statistics, sys

import cocoex
import ioh
import numpy as np


def points(dim, count, seed, radius):
    rng = random.Random(seed)
    return [[round(rng.uniform(-radius, radius), 4) for _ in range(dim)] for _ in range(count)]


def write(path, value):
    with open(path, "w") as out:
        json.dump(value, out, separators=(",", ":"))
        out.write("\n")


def trim(source, target):
    for dim in (2, 3, 5, 10, 20, 40):
        with open(os.path.join(source, f"bbob_{dim}d.json")) as src:
            full = json.load(src)
        keep = (1, 2, 5) if dim < 40 else (1, 5)
        full["functions"] = [f for f in full["functions"] if f["instance"] in keep]
        for f in full["functions"]:
            f.pop("name")
        write(os.path.join(target, f"bbob_{dim}d.json"), full)


def extra(target):
    """Instances and dimensions that the collection lacks: three points inside, two outside."""
    sets = []
    for dim in (2, 3, 5, 7, 20, 40):
        xs = points(dim, 3, 100 + dim, 5) + points(dim, 2, 200 + dim, 8)
        functions = []
        for f, i in itertools.product(range(1, 25), list(range(6, 16)) + [71]):
            problem = cocoex.BareProblem("bbob", f, dim, i)
            functions.append({"function": f, "instance": i, "f_opt": problem.best_value(),
                              "values": [problem(x) for x in xs]})
        sets.append({"dimension": dim, "points": xs, "functions": functions})
    write(os.path.join(target, "extra.json"), {"sets": sets})


def noisy(target):
    """Bases of the ten Cauchy functions of bbob-noisy: without an outlier the noise is the
    constant 1000 alpha + 1.01e-8, so the most frequent of 15 values gives the base."""
    sets = []
    suite = cocoex.Suite("bbob-noisy", "instances:1-3", "dimensions:2,5,20")
    for problem in suite:
        number = problem.id_function
        if number % 3 != 1:  # 103, 106, ...
            continue
        xs = points(problem.dimension, 2, 300 + problem.dimension, 5)
        xs += points(problem.dimension, 1, 400 + problem.dimension, 8)
        values = [statistics.mode([problem(x) for _ in range(15)]) for x in xs]
        sets.append({"function": number, "dimension": problem.dimension,
                     "instance": problem.id_instance, "points": xs, "values": values})
    write(os.path.join(target, "noisy.json"), {"sets": sets})


def mixtures(target):
    sets = []
    for dim in (2, 5, 20):
        for instance in (1, 2, 14, 33, 50):
            problem = ioh.problem.ManyAffine(instance, dim)
            xs = points(dim, 5, 500 + dim, 5)
            sets.append({"dimension": dim, "instance": instance, "points": xs,
                         "weights": list(problem.weights), "x_opt": list(problem.optimum.x),
                         "f_opt": problem.optimum.y, "values": [problem(x) for x in xs]})
    write(os.path.join(target, "mixture.json"), {"sets": sets})


if __name__ == "__main__":
    trim(sys.argv[1], sys.argv[2])
    extra(sys.argv[2])
    noisy(sys.argv[2])
    mixtures(sys.argv[2])
