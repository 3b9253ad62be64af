"""Waiting for conditions, with one deadline for all: nothing here sleeps for a fixed time."""

import os
import time

# Generous: a loaded two-core machine is ten times slower than an idle one.
DEADLINE_S = float(os.environ.get("CAMHUB_TEST_DEADLINE", "30"))


def until(condition, what, deadline_s=DEADLINE_S, poll_s=0.05):
    """Poll condition() until it returns something true, and return that. what: for the failure."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {deadline_s:g} s: {what() if callable(what) else what}")
        time.sleep(poll_s)
