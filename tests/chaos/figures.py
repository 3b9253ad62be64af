"""
What a run measured, and how honest the machine was meanwhile. Pure but for Machine, which reads /proc.

A figure is a list of numbers with a name; a goal is a bound on one of its quantiles. Goals are judged by the long
runs alone: a short one may stand on a machine that compiles.
"""

import os
from typing import NamedTuple


def quantile(values, share):
    """The nearest rank: always one of the values. None of nothing."""
    ranked = sorted(values)
    if not ranked:
        return None
    return ranked[max(0, min(len(ranked) - 1, -(-int(share * 1000) * len(ranked) // 1000) - 1))]


QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


class Goal(NamedTuple):
    """At most `bound` at that quantile. unit is for people: s, ms, KiB, %, or empty for a count."""

    figure: str
    at: str
    bound: float
    unit: str = "s"

    def value(self, figures):
        return quantile(figures.get(self.figure, []), QUANTILES[self.at])

    def missed_by(self, figures):
        """0 when it was met, None when there was nothing to judge."""
        value = self.value(figures)
        return None if value is None else max(0, value - self.bound)

    def text(self):
        return f"{self.figure} {self.at} <= {self.bound:g} {self.unit}".rstrip()


def summary(values):
    """{"n", "p50", "p99", "max"} of a figure."""
    return {"n": len(values), **{at: quantile(values, QUANTILES[at]) for at in ("p50", "p99", "max")}}


def show(value, unit=""):
    if value is None:
        return "-"
    digits = 0 if value == int(value) or abs(value) >= 1000 else 3 if abs(value) < 10 else 1
    return f"{value:.{digits}f} {unit}".rstrip()


def _pressure():
    """Microseconds in which something waited for a core, since the start of the machine; 0 where it is not told."""
    try:
        with open("/proc/pressure/cpu", encoding="ascii") as file:
            return int(file.readline().rsplit("total=", 1)[1])
    except (OSError, IndexError, ValueError):
        return 0


def _ticks():
    """(stolen, all) of the machine."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(field) for field in file.readline().split()[1:9]]
    return ticks[7], sum(ticks)


class Machine:
    """Between its making and tell(): load, share of the time in which somebody waited for a core, stolen time."""

    def __init__(self, now):
        self.began, self.pressure, self.ticks = now, _pressure(), _ticks()

    def tell(self, now):
        stolen, ticks = (after - before for after, before in zip(_ticks(), self.ticks))
        waited = (_pressure() - self.pressure) / 1e6 / max(now - self.began, 0.001)
        return {"load": round(os.getloadavg()[0], 2), "waited_percent": round(min(100, 100 * waited), 1),
                "stolen_percent": round(100 * stolen / max(ticks, 1), 1), "cores": os.cpu_count()}


TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """What a process has used, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    except OSError:
        return None


def rss_kib(pid):
    """Resident memory, 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="latin-1") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmRSS:")), 0)
    except OSError:
        return 0


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))
