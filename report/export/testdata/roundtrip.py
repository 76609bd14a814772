"""Reads exported files with the tools they are meant for and compares every number.

Usage: roundtrip.py FOLDER. It holds run/run.db, an export of it per format, and a folder per model
with model.onnx, model.npz, model.safetensors and expected.json (inputs, outputs, tensors).
"""
import csv
import glob
import json
import math
import os
import sqlite3
import sys

ROOT = sys.argv[1]


def same(a, b, what):
    if a is None or b is None:
        assert a is None and b is None, (what, a, b)
    elif isinstance(a, (int, float)) and not isinstance(a, bool):
        assert float(a) == float(b), (what, a, b)
    else:
        assert a == b, (what, a, b)


def tables():
    """The JSON export against the database itself, then CSV and Parquet against the JSON export."""
    import pyarrow.parquet as pq

    run = json.load(open(f"{ROOT}/json/run.json"))
    db = sqlite3.connect(f"file:{ROOT}/run/run.db?mode=ro", uri=True)
    rows = list(db.execute("SELECT generation, strategy, task, replicate, seed, evaluations, final, area, meta_fitness, metrics FROM results ORDER BY seq"))
    assert len(rows) == len(run["results"]) > 0
    for got, want in zip(run["results"], rows):
        for name, value in zip(["generation", "strategy", "task", "replicate", "seed", "evaluations", "fitness", "area", "meta_fitness"], want):
            if name == "seed":
                value %= 2**64
            same(got[name], value, name)
        for name, value in json.loads(want[9]).items():
            same(got[name], value, name)
    assert [s["strategy"] for s in run["strategies"]] == [r[0] for r in db.execute("SELECT digest FROM strategies ORDER BY seq")]
    genes = {r[0]: json.loads(r[1]) for r in db.execute("SELECT digest, genes FROM strategies")}
    for g in run["genes"]:
        law, _, part = g["gene"].partition(".")
        value = genes[g["strategy"]][law]
        if isinstance(value, dict):  # a law; a plain number is one that changes nothing
            value = value.get(part or "value", 0 if part.endswith("exponent") else 1)
        elif part:
            value = 0 if part.endswith("exponent") else 1
        if g["number"] is not None:
            same(g["number"], value, g["gene"])
    for name in ["generations", "strategies", "genes", "results", "finals", "curves"]:
        want = run[name]
        assert want, name
        with open(f"{ROOT}/csv/{name}.csv", newline="") as f:
            got = list(csv.DictReader(f))
        assert len(got) == len(want), name
        for a, b in zip(got, want):
            assert list(a) == list(b), (name, list(a), list(b))
            for k, v in b.items():
                cell = a[k]
                if v is None:
                    assert cell == "", (name, k, cell)
                elif isinstance(v, (int, float)):
                    assert (int(cell) if cell.isdigit() else float(cell)) == v, (name, k, cell, v)
                else:
                    assert cell == v, (name, k, cell, v)
        got = pq.read_table(f"{ROOT}/parquet/{name}.parquet").to_pylist()
        assert got == want, name
    return run


def tensorboard(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    acc = EventAccumulator(f"{ROOT}/tensorboard")
    acc.Reload()
    import numpy as np

    for tag, name in [("meta_fitness/best", "best"), ("meta_fitness/median", "median"), ("evaluations", "evaluations")]:
        got = acc.Scalars(tag)
        assert [e.step for e in got] == [g["generation"] + 1 for g in run["generations"]]
        for e, g in zip(got, run["generations"]):
            assert e.value == float(np.float32(g[name])), (tag, e.value, g[name])
        assert all(a.wall_time <= b.wall_time for a, b in zip(got, got[1:])), tag
    for f in run["finals"]:
        if f["role"] == "universal winner":
            assert acc.Scalars("quality/" + f["task"])[0].value == float(np.float32(f["quality"]))


def optuna(run):
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    storage = JournalStorage(JournalFileBackend(f"{ROOT}/optuna/journal.log"))
    (summary,) = optuna.get_all_study_summaries(storage)
    study = optuna.load_study(study_name=summary.study_name, storage=storage)
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    assert len(study.trials) == len(run["strategies"])
    genes = {}
    for g in run["genes"]:
        genes.setdefault(g["strategy"], {})[g["gene"]] = g
    complete = 0
    for trial, s in zip(study.trials, run["strategies"]):
        assert trial.user_attrs["digest"] == s["strategy"]
        if trial.state == optuna.trial.TrialState.COMPLETE:
            complete += 1
            same(trial.value, s["meta_fitness"], "value")
            assert len(trial.intermediate_values) == s["measurements"]
        own = genes[s["strategy"]]
        assert set(trial.params) == set(own)
        for name, value in trial.params.items():
            if own[name]["number"] is not None:
                same(value, own[name]["number"], name)
            else:
                assert str(value).lower() == own[name]["text"].lower(), (name, value)
    assert complete
    assert study.best_value == max(s["meta_fitness"] for s in run["strategies"] if s["meta_fitness"] is not None)


def ioh(run):
    import iohinspector

    manager = iohinspector.DataManager()
    manager.add_folder(f"{ROOT}/ioh")
    data = manager.load(monotonic=False, include_meta_data=True).to_dicts()
    names = {c["strategy"] for c in run["curves"]}
    assert len({d["algorithm_name"] for d in data}) == len(names) > 1
    tasks = sorted({c["task"] for c in run["curves"]})
    assert sorted({d["function_name"] for d in data}) == tasks
    want, got = {}, {}
    for c in run["curves"]:
        want.setdefault((c["task"], c["replicate"] + 1), set()).add((c["evaluations"], c["fitness"]))
    for d in data:
        got.setdefault((d["function_name"], d["instance"]), set()).add((d["evaluations"], d["raw_y"]))
    assert set(got) == set(want)
    for k, points in want.items():
        assert points <= got[k], (k, points - got[k])


def models():
    import numpy as np
    import onnx
    import onnxruntime
    from safetensors.numpy import load_file

    folders = sorted(glob.glob(f"{ROOT}/models/*"))
    assert folders
    for folder in folders:
        want = json.load(open(f"{folder}/expected.json"))
        model = onnx.load(f"{folder}/model.onnx")
        onnx.checker.check_model(model, full_check=True)
        session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
        x = np.array(want["inputs"], dtype=np.float64)
        (y,) = session.run(None, {"x": x})
        # float64 on both sides; sums run in another order, so the last digits may differ.
        np.testing.assert_allclose(y, np.array(want["outputs"]), rtol=1e-11, atol=1e-11, err_msg=folder)
        arrays = np.load(f"{folder}/model.npz")
        tensors = load_file(f"{folder}/model.safetensors")
        assert set(arrays) == set(tensors) == {t["Name"] for t in want["tensors"]}
        for t in want["tensors"]:
            values = np.array(t["Values"], dtype=np.float64).reshape(t["Shape"])
            for got in (arrays[t["Name"]], tensors[t["Name"]]):
                assert got.dtype == np.float64 and np.array_equal(got, values), t["Name"]


run = tables()
tensorboard(run)
optuna(run)
ioh(run)
models()
print("read back: csv, parquet, json, tensorboard, optuna, ioh, onnx, npz, safetensors")
