"""What a process costs, and how honest the machine is while it is measured."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

from wait import processor_times  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid):
    """User and system time in whole ticks, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    except OSError:
        return None


def running_seconds(pid):
    """The same of its threads that live, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/schedstat", encoding="latin-1") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def memory_kib(pid):
    """(RSS, its high-water mark, PSS) in KiB."""
    found = {}
    for name in ("status", "smaps_rollup"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", encoding="latin-1") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key in ("VmRSS", "VmHWM", "Pss"):
                    found[key] = int(value.split()[0])
    return found.get("VmRSS", 0), found.get("VmHWM", 0), found.get("Pss", 0)


def count_threads(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def tcp_kib():
    """What the buffers of all TCP sockets of the machine take in the kernel."""
    with open("/proc/net/sockstat", encoding="latin-1") as file:
        for line in file:
            if line.startswith("TCP:"):
                return int(line.split()[-1]) * PAGE // 1024
    return 0


def machine_busy():
    """Seconds of its cores that were used, by whomever."""
    with open("/proc/stat", encoding="latin-1") as stat:
        fields = [int(field) for field in stat.readline().split()[1:]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


class Machine:
    """How much the machine had to do besides: from the making of this to said()."""

    def __init__(self):
        self._began = processor_times()

    def steal_percent(self):
        stolen, total = processor_times()
        return 100 * (stolen - self._began[0]) / max(1, total - self._began[1])

    def said(self):
        return (f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, "
                f"{self.steal_percent():.1f} % of their time stolen by the machine below")

    def end(self, failures):
        """The last lines of a benchmark: this, and what it missed."""
        print(f"\n{self.said()}")
        for failure in failures:
            print(f"MISSED: {failure}")
