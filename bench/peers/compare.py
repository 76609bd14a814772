"""Compares this project's speed with that of other libraries at the same work, and prints one table.

    compare.py [--rows KEY,KEY*,...] [--measure] [--busy] [--out FILE]

Every side runs on one core (CORE, 0), one thread, after a warm-up, without compilation, in
float32. Rates are medians of five repeats or more in CPU time of the process. --measure measures the
rows and keeps what it saw in bin/peers/KEY.json; the table is made of all that is there. --busy is
for a machine with other work: it takes the best of short repeats of both sides, not the median.

Run it from the repository root by the Python of requirements.txt, as make bench-peers does.
"""

import argparse
import datetime
import fnmatch
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Callable

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RAW = ROOT / "bin" / "peers"
CORE = os.environ.get("CORE", "0")
LEVELS = ("avx512", "avx2")


def run(argv, cwd=ROOT, cores=CORE, **env):
    done = subprocess.run(["taskset", "-c", cores, *map(str, argv)], cwd=cwd, env=os.environ | env,
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{argv}: {done.stderr[-2000:]}{done.stdout[-2000:]}")
    return done.stdout


def script(*calls):
    """The best of what other libraries reach, each call a script of this folder with arguments."""

    def rival():
        seen = []
        for call in calls:
            name, *arguments = call.split()
            for line in run([sys.executable, "-W", "ignore", HERE / name, *arguments]).splitlines():
                seen.append(json.loads(line))
        best = max(seen, key=lambda s: statistics.median(s["rates"]))
        return best | {"all": seen}

    return rival


def limit(name, rate):
    """A figure that is not measured here."""
    return lambda: {"rival": name, "rates": [rate], "given": True}


def window():
    """Seconds of the clock that a repeat of ours takes at least."""
    return "0.1s" if "BUSY" in os.environ else "0.5s"


def benched(package, pattern, metric, count=7, cores=CORE, inverse=False):
    """Ours: a metric of a Go benchmark. BACKEND in the pattern stands for the native variant."""

    def ours(level):
        where = pattern.replace("BACKEND", f"backend=native-{level}")
        anchored = "/".join(f"^{part}$" for part in where.split("/"))
        text = run([RAW / f"{package}.test", "-test.run", "^$", "-test.bench", anchored, "-test.count", count,
                    "-test.benchtime", window()], cwd=ROOT / package, cores=cores, RSIE_CPU=level)
        rates = [float(v) for v in re.findall(rf"\s([0-9.e+]+) {re.escape(metric)}(?:\s|$)", text, re.M)]
        if len(rates) != count:
            raise SystemExit(f"{where}: want {count} figures in {metric}, got {rates}: {text[-2000:]}")
        return {"rates": [1 / r for r in rates] if inverse else rates}

    return ours


def at_level(ours, level):
    return lambda: {"rival": "one core"} | ours(level)


def processes(argv, repeats, **env):
    """Runs a program from its start to its end: starts per wall second, per CPU second, 1/MiB."""
    wall, cpu, memory = [], [], []
    for _ in range(repeats):
        for old in RAW.glob("new-*"):
            shutil.rmtree(old)
        began = time.perf_counter()
        child = subprocess.Popen(["taskset", "-c", CORE, *map(str, argv)], env=os.environ | env,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        text = child.stderr.read().decode()
        _, status, used = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"{argv}: {text[-2000:]}")
        wall.append(1 / (time.perf_counter() - began))
        cpu.append(1 / (used.ru_utime + used.ru_stime))
        memory.append(1024 / used.ru_maxrss)
    return {"wall": wall, "cpu": cpu, "memory": memory}


def clock():
    return "cpu" if "BUSY" in os.environ else "wall"


def evosax_start():
    def rival():
        with tempfile.TemporaryDirectory() as cache:
            warm = {"JAX_COMPILATION_CACHE_DIR": cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1", "JAX_PLATFORMS": "cpu"}
            seen = processes([sys.executable, "-W", "ignore", HERE / "startup.py"], 6, **warm)
        return {"rival": "evosax, compile cache warm", "rates": seen[clock()][1:]}

    return rival


def our_start(memory=False):
    def ours(level):
        argv = [RAW / "rsie", "train", "bbob/f1/d10/i1", "--strategy", HERE / "small-ga.json", "--budget", "320",
                "--runs", "1", "--out", RAW / "new-start"]
        return {"rates": processes(argv, 15, RSIE_CPU=level)["memory" if memory else clock()]}

    return ours


def evolve(backend):
    argv = [RAW / "rsie", "evolve", "--suite", "standard", "--alone", "--meta-population", "4", "--candidates", "4",
            "--meta-generations", "1", "--final-runs", "2", "--base-budget", "300", "--workers", "1", "--backend",
            backend, "--out", RAW / "new-evolve"]
    return lambda level: {"rates": processes(argv, 5, RSIE_CPU=level)["cpu"]}


@dataclass
class Row:
    key: str
    title: str
    unit: str
    rival: Callable
    ours: Callable
    wanted: tuple  # ratios for LEVELS


def forward_rows():
    out = []
    nets = {4: (3, 150, {"jax": (3.5, 2.7), "gonum": (65, 50), "shipped": (16, 12)}),
            64: (10, 1024, {"jax": (1.8, 1.55), "gonum": (27, 22), "shipped": (9, 8)}),
            784: (10, 1000, {"jax": (1.1, 1.0), "gonum": (13, 11), "shipped": (1.9, 1.7)})}
    for inputs, (outputs, samples, wanted) in nets.items():
        net = f"{inputs}-32-{outputs}"
        for members in (256, 4096):
            place = f"Evaluate/BACKEND/R=1/N={members}/net={net}/S={samples}"
            count = 5 if inputs * members > 1 << 20 else 7
            shape = f"{inputs} {outputs} {samples} {members}"
            title = f"forward and loss {net}, {samples} samples, {members} members"
            rate = benched("cpu", "Benchmark" + place, "member-samples/s", count)
            out.append(Row(f"forward-{inputs}-{members}", title, "/s", script(f"forward.py jax {shape}"), rate, wanted["jax"]))
            if inputs > 4:
                out.append(Row(f"peak-{inputs}-{members}", title, "% of peak", limit("peak of the core", 100.0),
                               benched("cpu", "Benchmark" + place, "%peak", count),
                               (0.75, 0.65) if inputs == 64 else (0.92, 0.84)))
            if members == 256:
                blas = benched("cpu", f"BenchmarkEvaluate/backend=blas32/R=1/N=16/net={net}/S={samples}", "member-samples/s")
                out.append(Row(f"gonum-{inputs}", title, "/s", lambda blas=blas: {"rival": "gonum, member by member"} | blas("avx512"),
                               rate, wanted["gonum"]))
                out.append(Row(f"shipped-{inputs}", title, "/s",
                               script(f"forward.py evotorch {shape}", f"forward.py evox {shape}"), rate, wanted["shipped"]))
    return out


def run_rows():
    out = []
    for name, baseline, ways in (("SimpleGA", "simple-ga", {"scan": (3.8, 2.9), "vmap": (5.3, 4), "loop": (6.5, 5)}),
                                 ("Open_ES", "openai-es", {"scan": (2.6, 2)})):
        ours = benched("bench", f"BenchmarkRuns/BACKEND/workers=1/R=64/N=50/net=4-32-3/S=150/{baseline}", "evaluations/s", 5)
        for way, wanted in ways.items():
            out.append(Row(f"runs-{baseline}-{way}", f"64 runs of {baseline}, population 50, 200 generations, 4-32-3",
                           "/s", script(f"runs.py {name} {way}"), ours, wanted))
    return out


def generation_rows():
    out = []
    wanted = {("openai", 1000): (6.3, 5), ("snes", 1000): (4.8, 3.6), ("sep-cma", 1000): (5.5, 4.2),
              ("openai", 100000): (3, 2.9), ("snes", 100000): (8.5, 7.3), ("sep-cma", 100000): (8.5, 7.3)}
    libraries = {"openai": ("evosax", "evotorch", "evox", "numpy"), "snes": ("evosax", "evotorch", "evox"),
                 "sep-cma": ("evosax", "evotorch")}
    for (name, genes), ratios in wanted.items():
        calls = [f"generation.py {library} {name} {genes}" for library in libraries[name]]
        out.append(Row(f"generation-{name}-{genes}", f"ask and tell, {name}, population 256, {genes} parameters", "/s",
                       script(*calls), benched("cpu", f"BenchmarkAskTell/BACKEND/R=1/N=256/D={genes}/{name}", "generations/s"),
                       ratios))
    return out


def mutation_row(key, members, genes, call, wanted):
    place = f"BenchmarkMutate/BACKEND/R=1/N={members}/D={genes}"
    return Row(key, f"Gaussian mutation at rate 0.1, {members} x {genes}", "/s",
               script(f"mutation.py {call} {members} {genes}"), benched("cpu", place, "elements/s"), wanted)


def cartpole_row(key, kind, call, wanted):
    place = f"BenchmarkRollout/BACKEND/R=1/N=1024/net=cartpole-4-32-2-{kind}/S=4"
    return Row(key, f"CartPole, 1,024 members, 4 episodes each, {kind}", "/s", script(f"cartpole.py {call} {kind}"),
               benched("cpu", place, "live-steps/s"), wanted)


def svd_row(call, rows, columns, batch, wanted):
    place = f"BenchmarkFactor/BACKEND/R=1/N=256/matrix={rows}x{columns}"
    return Row(f"svd-{rows}x{columns}", f"thin SVD {rows} x {columns}", "/s", script(f"svd.py {call} {rows} {columns} {batch}"),
               benched("cpu", place, "matrices/s"), wanted)


def all_rows():
    two, one = (benched("bench", f"BenchmarkRuns/BACKEND/workers={w}/R=64/N=50/net=4-32-3/S=150/simple-ga",
                        "wall-evaluations/s", 5, cores) for w, cores in ((2, "0,1"), (1, CORE)))
    start = "fresh process to the result of ten small generations"
    return forward_rows() + [
        mutation_row("mutation-memory-numpy", 1024, 48828, "numpy", (3.5, 2.2)),
        mutation_row("mutation-memory-torch", 1024, 48828, "torch", (11, 7)),
        mutation_row("mutation-cache", 64, 1500, "numpy", (4, 2)),
        cartpole_row("cartpole-live-jax", "live", "jax", (5, 3.5)),
        cartpole_row("cartpole-live-evosax", "live", "evosax", (9, 6)),
        cartpole_row("cartpole-untrained", "untrained", "jax", (20, 15)),
    ] + run_rows() + [
        svd_row("jax", 32, 10, 256, (7, 5.5)),
        svd_row("jax", 64, 32, 128, (2.5, 2)),
        svd_row("torch", 128, 64, 64, (1.3, 1.2)),
    ] + generation_rows() + [
        Row("start", start, "s", evosax_start(), our_start(), (100, 100)),
        Row("start-limit", start, "s", limit("limit", 1 / 0.015), our_start(), (1, 1)),
        Row("start-memory", start, "MiB", limit("limit", 1 / 20), our_start(memory=True), (1, 1)),
        Row("studied", "the studied strategy on ten tasks, 10,000 evaluations each, batches of 64 runs", "core-s",
            limit("C program of the study, as reported", 1 / 1.1),
            benched("bench", "BenchmarkStudied/BACKEND/workers=1/R=64/tasks=10", "core-s/strategy", 1, inverse=True), (1.4, 1.4)),
        Row("evolve", "rsie evolve --suite standard, small flags", "core-s",
            lambda: {"rival": "--backend gonum"} | evolve("gonum")("avx512"), evolve("native"), (8, 8)),
        Row("cores", "two cores, 64 runs of simple-ga", "/s", at_level(one, "avx512"), two, (1.9, 1.9)),
    ]


def figure(rate, unit):
    if unit in ("s", "core-s", "MiB"):
        value = 1 / rate
        return f"{value * 1e3:.1f} ms" if unit == "s" and value < 1 else f"{value:.3g} {unit}"
    if unit.startswith("%"):
        return f"{rate:.1f} {unit}"
    for scale, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if rate >= scale:
            return f"{rate / scale:.3g}{letter}{unit}"
    return f"{rate:.3g}{unit}"


def measure(row):
    began, load = time.time(), os.getloadavg()[0]
    seen = {"rival": row.rival(), "date": datetime.date.today().isoformat(), "load": load}
    for level in LEVELS:
        seen[level] = row.ours(level)
    seen["load"] = max(load, os.getloadavg()[0])
    seen["commit"] = run(["git", "rev-parse", "--short", "HEAD"]).strip()
    (RAW / f"{row.key}.json").write_text(json.dumps(seen, indent=1))
    print(f"{row.key}: {time.time() - began:.0f} s", file=sys.stderr, flush=True)


def shown(seen, row, middle):
    """The figure of repeats, with their number where it is small."""
    text = figure(middle(seen["rates"]), row.unit)
    n = len(seen["rates"])
    return text if n >= 5 or "given" in seen else f"{text} (of {n})"


def line(row, seen, middle):
    """A line of the table, and whether it is met with all instruction sets that were measured."""
    cells, met = [row.title, seen["rival"]["rival"], shown(seen["rival"], row, middle)], True
    for level, wanted in zip(LEVELS, row.wanted):
        if level not in seen:
            cells += ["-", "-", f"{wanted:g}", "not measured"]
            continue
        ratio = middle(seen[level]["rates"]) / middle(seen["rival"]["rates"])
        met = met and ratio >= wanted
        cells += [shown(seen[level], row, middle), f"{ratio:.3g}", f"{wanted:g}", "yes" if ratio >= wanted else "**no**"]
    return "| " + " | ".join(cells) + " |", met


def table(rows, middle):
    """The table of every row that has been measured. middle makes one figure of the repeats."""
    lines, missing, commits, dates, loads, met = [], [], set(), set(), [], 0
    for row in rows:
        place = RAW / f"{row.key}.json"
        if not place.exists():
            missing.append(row.key)
            continue
        seen = json.loads(place.read_text())
        text, good = line(row, seen, middle)
        lines.append(text)
        met += good
        commits.add(seen["commit"])
        dates.add(seen["date"])
        loads.append(seen["load"])
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    return "\n".join([
        "# Speed beside other libraries", "",
        f"Command: `make bench-peers`. Machine: {cpu}, {os.cpu_count()} cores; both sides one thread on one core, float32, warm,",
        f"compile time apart, the {'best' if middle is max else 'median'} of five repeats or more in CPU time. Date: {', '.join(sorted(dates))}. Commit: "
        f"{', '.join(sorted(commits))}.",
        f"Load average of the machine while it measured: {min(loads, default=0):.1f} to {max(loads, default=0):.1f} (1.0 is this measurement alone).",
        "", f"{met} of {len(lines)} rows met with all instruction sets measured."
        + (f" Not measured: {', '.join(missing)}." if missing else ""), "",
        "| row | rival | its figure | ours, AVX-512 | ratio | wanted | met | ours, AVX2 | ratio | wanted | met |",
        "|---|---|---|---|---|---|---|---|---|---|---|", *lines]) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", default="*")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--out")
    options = parser.parse_args()
    rows = all_rows()
    if options.busy:
        os.environ["BUSY"] = "1"
    if options.measure:
        chosen = [r for r in rows if any(fnmatch.fnmatch(r.key, p) for p in options.rows.split(","))]
        if not chosen:
            raise SystemExit(f"no row {options.rows}; there are {' '.join(r.key for r in rows)}")
        for row in chosen:
            measure(row)
    text = table(rows, max if options.busy else statistics.median)
    print(text)
    if options.out:
        pathlib.Path(options.out).write_text(text)


main()
