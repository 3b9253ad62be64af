"""Waiting for conditions, with one deadline for all: nothing here sleeps for a fixed time."""

import os
import time

LOAD_MAX = 6


def machine_load():
    """How many processes want each core, as far as that matters to a deadline."""
    return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1), LOAD_MAX)


# Generous: a loaded two-core machine is ten times slower than an idle one.
DEADLINE_S = float(os.environ.get("CAMHUB_TEST_DEADLINE", "30")) * machine_load()


def until(condition, what, deadline_s=DEADLINE_S, poll_s=0.05):
    """Poll condition() until it returns something true, and return that. what: for the failure. A loaded machine
    gets more time."""
    start = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() - start >= deadline_s * machine_load():
            raise AssertionError(f"not within {deadline_s:g} s: {what() if callable(what) else what}")
        time.sleep(poll_s)
