"""Waiting for conditions, with one deadline for all: nothing here sleeps for a fixed time."""

import os
import time

# Generous: a loaded two-core machine is ten times slower than an idle one.
DEADLINE_S = float(os.environ.get("CAMHUB_TEST_DEADLINE", "30"))
LOAD_MAX = 6
WALL_MAX = 20  # times the deadline: then it is over, whatever the machine does
PATIENCE_S = DEADLINE_S * WALL_MAX  # of a single call that cannot look at the machine while it waits


def machine_load():
    """How many processes want each core, as far as that matters to a deadline."""
    return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1), LOAD_MAX)


def processor_times():
    """(ticks that the host gave to others, all ticks) since the machine is up."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(word) for word in stat.readline().split()[1:9]]
    return ticks[7], sum(ticks)


class Deadline:
    """
    So many seconds of an idle machine. Time counts less while others want the cores, and not at all while
    the host of a virtual machine gives them away: nothing that is waited for could have happened then.
    """

    SAMPLE_S = 0.5

    def __init__(self, seconds):
        self.left = seconds
        self.since, self.ticks = time.monotonic(), processor_times()
        self.end = self.since + WALL_MAX * seconds

    def is_over(self):
        now = time.monotonic()
        if now - self.since >= self.SAMPLE_S:
            ticks = processor_times()
            stolen, total = ticks[0] - self.ticks[0], max(ticks[1] - self.ticks[1], 1)
            self.left -= (now - self.since) * max(1 - stolen / total, 0) / machine_load()
            self.since, self.ticks = now, ticks
        return self.left <= 0 or now >= self.end

    def wait(self, condition, is_true):
        """On a threading.Condition that is held, until is_true() or the deadline; returns what it said last."""
        while True:
            value = is_true()
            if value or self.is_over():
                return value
            condition.wait(self.SAMPLE_S)


def until(condition, what, deadline_s=DEADLINE_S, poll_s=0.05):
    """Poll condition() until it returns something true, and return that. what: for the failure."""
    deadline = Deadline(deadline_s)
    while True:
        value = condition()
        if value:
            return value
        if deadline.is_over():
            raise AssertionError(f"not within {deadline_s:g} s: {what() if callable(what) else what}")
        time.sleep(poll_s)
