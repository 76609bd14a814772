"""What every script here measures by: one thread, a warm-up, then repeats in the process's own
CPU time, which other work on the machine lengthens less than wall time. A figure is one line of
JSON: who did it, the rate of each repeat, and the seconds of the first call, compilation included.

Import it before anything that starts threads.
"""

import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

BUSY = "BUSY" in os.environ  # as compare.py --busy sets it
REPEATS = 5 if BUSY else 7
WINDOW = 0.02 if BUSY else 0.1  # seconds of a repeat at least
LONG = 4.0  # seconds of a call from which five repeats are enough


def block(value):
    """Waits for a result of jax; the other libraries compute at once."""
    if "jax" in sys.modules:
        sys.modules["jax"].block_until_ready(value)
    return value


def emit(rival, rates, first=0.0, **more):
    print(json.dumps({"rival": rival, "rates": rates, "first_s": round(first, 3)} | more), flush=True)


def measure(rival, call, work, check=None):
    """Times call(). work is what one call does, in units, or a function of its result; check sees
    the first result and raises if it is wrong."""
    start = time.process_time()
    result = block(call())
    first = time.process_time() - start
    if check:
        check(result)
    if callable(work):
        work = work(result)
    del result
    start = time.process_time()
    block(call())
    once = time.process_time() - start
    loops = max(1, round(WINDOW / max(once, 1e-9)))
    rates = []
    for _ in range(5 if once > LONG else REPEATS):
        start = time.process_time()
        for _ in range(loops):
            block(call())
        rates.append(work * loops / (time.process_time() - start))
    emit(rival, rates, first)
