#!/usr/bin/python3 -B
"""
Wrong passwords beside viewers: one camera (720p25, 3 Mb/s, replayed), 10 viewers, and a thousand logins with wrong
passwords, from a hundred addresses of this machine, so that each is worth being looked at (10 at once are, of an address).

    make -C bench logins-bench
    make -C bench logins-bench BENCH_FLAGS=--smoke        a smoke test: small, and it judges no speed

What must hold: nobody is let in, everybody is answered (401, or 429 and 503: come again), whoever knows the password is let
in meanwhile, the viewers lose nothing, and their p99 is at most 5 ms more than without.
"""

import asyncio
import base64
import collections
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

import rig  # noqa: E402
from beside import finish, good_ones, judge_good, parser, print_good, print_heading  # noqa: E402
from fanout import raise_descriptors  # noqa: E402
from machine import Machine  # noqa: E402
from replay import replayed  # noqa: E402

LATER_MS = 5
AT_ONCE, OF_AN_ADDRESS = 100, 10
WORD = "right-and-long-enough"
USERS = {"access": {"users": [{"name": "ann", "cameras": ["*"]}, {"name": "bob", "role": "operator"}]}}


async def ask(port, address, user, word):
    """The status of the answer, 0: none came."""
    login = base64.b64encode(f"{user}:{word}".encode()).decode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    try:
        writer.write(f"GET /api HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read(-1)
        return int(answer.split()[1]) if answer else 0
    except OSError:
        return 0
    finally:
        writer.close()


class Logins(threading.Thread):
    """n wrong ones, and a right one again and again."""

    def __init__(self, port, n):
        super().__init__(daemon=True)
        self.port, self.n = port, n
        self.answers, self.right, self.seconds = collections.Counter(), [], 0

    def run(self):
        began = time.monotonic()
        asyncio.run(self._all())
        self.seconds = time.monotonic() - began

    async def _all(self):
        turn = asyncio.Semaphore(AT_ONCE)

        async def wrong(i):
            async with turn:
                address = f"127.1.{i // OF_AN_ADDRESS // 250}.{1 + i // OF_AN_ADDRESS % 250}"
                self.answers[await ask(self.port, address, "ann", f"wrong-{i}")] += 1

        async def right():
            while True:
                began = time.monotonic()
                if await ask(self.port, "127.0.0.1", "bob", WORD) == 200:
                    self.right.append(time.monotonic() - began)
                await asyncio.sleep(0.1)

        good = asyncio.create_task(right())
        await asyncio.gather(*(wrong(i) for i in range(self.n)))
        good.cancel()


def judge(before, beside, logins, options, failures):
    answers = dict(sorted(logins.answers.items()))
    print(f"{options.logins} wrong logins in {logins.seconds:.1f} s: {answers}; {len(logins.right)} right ones, the slowest after "
          f"{max(logins.right, default=0):.2f} s")
    if set(answers) - {401, 429, 503}:
        failures.append(f"answers: {answers}")
    if not answers.get(401):
        failures.append("no password was looked at")
    if not logins.right:
        failures.append("whoever knew the password was not let in")
    judge_good(before, beside, 1, failures)
    later = beside["delay_ms"]["p99"] - before["delay_ms"]["p99"]
    print(f"the viewers' p99 is {later:.2f} ms later (goal {LATER_MS})")
    if later > LATER_MS:
        failures.append(f"speed: the viewers' p99 is {later:.2f} ms later, the goal is {LATER_MS}")


def run(hub, options, failures):
    code, _, err = hub.camctl("passwd", "bob", stdin=WORD + "\n")
    assert code == 0, err
    code, out, err = hub.camctl("token", "ann", "--hours", "1")
    assert code == 0, err
    os.environ["CAMHUB_BENCH_TOKEN"] = out.strip()  # of the viewers
    pids = hub.process.pid, hub.child("camhub-http http"), hub.child("camhub-auth auth")
    print_heading(f"{options.good} viewers of /api/ws")
    before = good_ones(hub, options, [])
    print_good("alone", before)
    logins = Logins(hub.port, options.logins)
    threading.Timer(options.settle, logins.start).start()
    beside = good_ones(hub, options, [])
    print_good(f"beside {options.logins} wrong logins", beside)
    logins.join()
    judge(before, beside, logins, options, failures)
    if pids != (hub.process.pid, hub.child("camhub-http http"), hub.child("camhub-auth auth")):
        failures.append("a process was started again")


def main():
    asked = parser(__doc__.splitlines()[1], good=10, seconds=30)
    asked.add_argument("--logins", type=int, default=1000)
    options = asked.parse_args()
    if options.smoke:
        options.good, options.logins, options.seconds, options.settle = 3, 100, 5, 1
    raise_descriptors()
    failures, machine = [], Machine()
    with replayed() as replay, rig.running_hub([{"name": "cam", "url": replay.url()}], extra=USERS) as hub:
        run(hub, options, failures)
    return finish(machine, failures, options)


if __name__ == "__main__":
    sys.exit(main())
