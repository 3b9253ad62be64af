#!/usr/bin/python3 -B
"""
The short list: every fault a few times, some at once, because most of the time they wait. Promises are held to, times are
not judged. And the controls: without its defence each of them must complain.
"""

import asyncio
import unittest

import chaos
from catalogue import FAULTS, SHORT

import lab
import rig

AT_ONCE = 3
# What is left running on purpose would be another one's orphan.
ALONE = ("supervisor-killed",)
# The shortest of each kind; make chaos CHAOS_FLAGS=--controls runs all.
CONTROLS = ("worker-killed", "worker-stopped", "front-killed", "leaks", "status-truth", "rtc-garbage")


async def some_at_once(makers):
    """The results of all, at most AT_ONCE at a time. makers: functions that make what is awaited."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(make):
        async with places:
            return await make()

    return await asyncio.gather(*(one(make) for make in makers))


class Chaos(unittest.TestCase):
    def setUp(self):
        chaos.become_parent()

    def check(self, names, results, wanted):
        """Each in a subtest; a wrong one is printed whole."""
        for name, result in zip(names, results):
            with self.subTest(fault=name):
                if result["status"] not in wanted:
                    chaos.print_result(name, result, True)
                else:
                    print(f"{name}: {result['status']} in {result['seconds'] if 'seconds' in result else 0} s", flush=True)
                self.assertIn(result["status"], wanted, f"{name}: {result['reason']}")

    def test_short_list(self):
        together = [name for name in SHORT if name not in ALONE]
        makers = [lambda fault=FAULTS[name]: lab.play_calmly(fault, fault.short) for name in together]
        self.check(together, asyncio.run(some_at_once(makers)), ("held",))
        for name in set(SHORT) & set(ALONE):
            self.check([name], [asyncio.run(lab.play_calmly(FAULTS[name], FAULTS[name].short))], ("held",))

    def test_controls(self):
        makers = [lambda fault=FAULTS[name]: lab.play_control(fault, fault.controls[0], calm=True) for name in CONTROLS]
        # Where the saboteur is of no use the others still are.
        self.check(CONTROLS, asyncio.run(some_at_once(makers)), ("found", "skipped"))


if __name__ == "__main__":
    rig.main()
