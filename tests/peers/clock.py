"""What the Python peers have in common: counting jobs across threads and processes, and saying what came of it."""

import multiprocessing
import os
import sys
import time

SLOTS = 16
WARM_UP = 200
JOBS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")

# Shared memory, so that forked workers count too.
_done = multiprocessing.Value("q", 0)
_started = multiprocessing.Value("d", 0.0)
_ended = multiprocessing.Value("d", 0.0)


def tick():
    """One job is done. The clock runs from the end of the warm-up to the last job."""
    with _done.get_lock():
        _done.value += 1
        if _done.value == WARM_UP:
            _started.value = time.monotonic()
        if _done.value == WARM_UP + JOBS:
            _ended.value = time.monotonic()


def enqueue(some):
    """Warms up, then times `some(count)`, which enqueues so many jobs. Returns jobs per second."""
    some(WARM_UP)
    started = time.monotonic()
    some(JOBS)
    return JOBS / (time.monotonic() - started)


def wait():
    """Waits for all jobs. Returns jobs per second."""
    while _ended.value == 0.0:
        time.sleep(0.01)
    return JOBS / (_ended.value - _started.value)


def report(enqueued, processed):
    """The line that `run` reads."""
    if _done.value != WARM_UP + JOBS:
        sys.exit(f"{_done.value} jobs were done, not {WARM_UP + JOBS}")
    print(f"{enqueued:.0f} {processed:.0f}")
