#!/usr/bin/python3 -B
"""
Faults on purpose: each is done to a camhub of its own while viewers watch, and what is promised of it must hold.

    make chaos                                                  every fault, as often as the report says: hours
    make chaos CHAOS_FLAGS="worker-killed --times 20"           one of them
    make chaos CHAOS_FLAGS="--scale 0.02 --controls"            all, a fiftieth as often, and each once without its defence
    make chaos CHAOS_FLAGS=--list
    make chaos-report CHAOS_FLAGS=--controls                    all of it, and docs/reliability-report.md is written anew

A negative control takes the defence away, by configuration or by a library that makes a call lie; then the same fault
must complain, and of just that. Exit code 1 when a promise was broken, a goal missed or a control complained of
nothing. --json keeps the results in a file, over older ones of the same faults; --report writes a report of all that are there.
"""

import argparse
import asyncio
import ctypes
import json
import os
import subprocess
import sys
import time

from catalogue import FAULTS, chosen

import lab
import report
import rig
from figures import show


def judge(fault, result):
    """What was missed, as texts."""
    missed = []
    for goal in fault.goals:
        by = goal.missed_by(result["raw"])
        if by:
            missed.append(f"{goal.text()}: it was {show(goal.value(result['raw']), goal.unit)}")
    return missed


def print_result(name, result, verbose):
    print(f"{name}: {result['status']} ({result['n']} times, {result['seconds']:.0f} s, load {result['machine']['load']})"
          f"{': ' + result['reason'] if result['reason'] else ''}", flush=True)
    for figure, values in result["figures"].items():
        print(f"    {figure}: p50 {show(values['p50'])}, p99 {show(values['p99'])}, max {show(values['max'])} of {values['n']}")
    late = result["machine"]["driver_late"]
    print(f"    the driver was late by: p50 {show(late['p50'])}, p99 {show(late['p99'])}, max {show(late['max'])} s")
    for text in [*result["notes"], *(f"MISSED: {text}" for text in result.get("missed", []))]:
        print(f"    {text}")
    if verbose or result["status"] == "broken":
        print("\n".join(f"    | {line}" for line in result["log"]))
    sys.stdout.flush()


async def run_fault(fault, n, options):
    result = await lab.play(fault, n)
    result["missed"] = judge(fault, result) if result["status"] == "held" else []
    print_result(fault.name, result, options.verbose)
    result["controls"] = []
    for tamper in fault.controls if options.controls else ():
        control = await lab.play_control(fault, tamper)
        print(f"    without it ({tamper.what}): {control['status']}: {control['reason']}", flush=True)
        result["controls"].append({"what": tamper.what, "status": control["status"], "reason": control["reason"]})
    del result["raw"], result["log"]
    return result


def times(fault, options):
    if options.times:
        return options.times
    return max(1, round(fault.full * options.scale))


def commit():
    done = subprocess.run(["git", "-C", rig.source_dir(), "describe", "--always", "--dirty"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def keep(path, results):
    """Into a file of results, over those of the same faults that are there."""
    kept = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
    kept.update(results)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=1, sort_keys=True)
        file.write("\n")
    return kept


def list_faults():
    for fault in FAULTS.values():
        print(f"{fault.name} ({fault.full} times; {len(fault.controls)} controls)\n    {fault.promise}")
        for goal in fault.goals:
            print(f"    goal: {goal.text()}")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("faults", nargs="*", help="names; all without any")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--times", type=int, default=0, help="how often each, instead of its own number")
    parser.add_argument("--scale", type=float, default=1, help="a part of its own number")
    parser.add_argument("--controls", action="store_true", help="also without each defence")
    parser.add_argument("--json", help="keep the results in this file, beside those of other faults")
    parser.add_argument("--report", help="write the report of all results that are kept there")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def become_parent():
    """What a killed supervisor leaves behind becomes our child, and is found."""
    ctypes.CDLL(None, use_errno=True).prctl(rig.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main():
    options = read_options()
    if options.list:
        list_faults()
        return 0
    become_parent()
    results, bad = {}, 0
    for fault in chosen(options.faults):
        result = asyncio.run(run_fault(fault, times(fault, options), options))
        result.update(commit=commit(), date=time.strftime("%Y-%m-%d", time.gmtime()), full=fault.full)
        bad += result["status"] == "broken" or bool(result["missed"])
        bad += any(control["status"] == "missed" for control in result["controls"])
        results[fault.name] = result
        if options.json:
            kept = keep(options.json, {fault.name: result})
            if options.report:
                report.write(options.report, kept)
    print(f"{len(results)} faults, {bad} not as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
