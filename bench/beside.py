"""Good viewers, alone and beside whatever else the front has to do: what slow.py and logins.py measure alike."""

import argparse
import os
import time

from fanout import Clients, missing_viewers
from machine import Machine, running_seconds


def parser(description, good, seconds):
    """The options that all have."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--good", type=int, default=good)
    made.add_argument("--seconds", type=float, default=seconds)
    made.add_argument("--settle", type=float, default=3)
    made.add_argument("--smoke", action="store_true")
    return made


def print_heading(what):
    print(f"{what}\n"
          f"{'':34} {'frames':>7} {'lost':>5} {'skipped':>7} {'p50 ms':>7} {'p99':>7} {'max':>7} {'kernel p99':>10} {'CPU %':>6} "
          f"{'load':>5} {'steal %':>7}")


def good_ones(hub, options, flags):
    """What good viewers see for a while, and the front's CPU meanwhile."""
    clients = Clients(hub.port, "cam", options.good, f"--settle={options.settle}", f"--seconds={options.seconds}",
                      *flags)
    clients.wait_measuring()
    pid, machine = hub.child("camhub-http http"), Machine()
    cpu, began = running_seconds(pid), time.monotonic()
    time.sleep(options.seconds * 0.95)
    cpu = 100 * (running_seconds(pid) - cpu) / (time.monotonic() - began)
    steal = machine.steal_percent()
    return {**clients.result(), "cpu": cpu, "steal": steal}


def print_good(name, row):
    delay = row["delay_ms"]
    print(f"{name:34} {delay['n']:7d} {row['lost']:5d} {row['skipped']:7d} {delay['p50']:7.2f} {delay['p99']:7.2f} "
          f"{delay['max']:7.1f} {row['kernel_ms']['p99']:10.2f} {row['cpu']:6.1f} {os.getloadavg()[0]:5.1f} "
          f"{row['steal']:7.1f}", flush=True)


def judge_good(before, beside, expected, failures):
    """They lost nothing; beside the others each got that many frames at least."""
    if before["lost"] or beside["lost"] or beside["skipped"]:
        failures.append(f"good viewers lost {before['lost'] + beside['lost'] + beside['skipped']} frames")
    for row, at_least in ((before, 1), (beside, expected)):
        bad = missing_viewers(row, at_least)
        if bad:
            failures.append(f"good viewers: {bad}")


def finish(machine, failures, options):
    """The exit status. A smoke test judges no speed."""
    machine.end(failures)
    if options.smoke:
        failures = [failure for failure in failures if not failure.startswith("speed")]
    return 1 if failures else 0
