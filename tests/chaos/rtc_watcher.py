"""Viewers by WebRTC: a process of the benches' client (bench/rtc/), which says all the time what it got so far."""

import asyncio
import contextlib
import json
import os
import signal

import rig

LOSSES = ("missed", "broken", "holes", "closed", "backs")
SETTLE_S = 60
GOODBYE_S = 20


class RtcWatcher:
    """
    `clients` viewers of one camera. told: the client's last words, {} before all of them play; backs: with --again among the
    flags, how often one of them had pictures again.
    """

    def __init__(self, house, name, clients=1, flags=()):
        self.house, self.name, self.clients, self.flags = house, name, clients, flags
        self.told, self.process, self.task = {}, None, None

    async def open(self):
        program = os.path.join(rig.build_dir(), "tests", "e2e", "rtc_client")
        self.process = await asyncio.create_subprocess_exec(
            program, f"--port={self.house.port}", f"--clients={self.clients}", f"--settle={SETTLE_S}", "--seconds=86400",
            "--live", *self.flags, f"/{self.name}/whep", stdout=asyncio.subprocess.PIPE)
        self.task = asyncio.create_task(self._read())
        return self

    async def _read(self):
        while line := await self.process.stdout.readline():
            if line.startswith(b"{"):
                self.told = json.loads(line)

    @property
    def playing(self):
        return self.told.get("playing", 0)

    @property
    def frames(self):
        return self.told.get("frames", 0)

    @property
    def closed(self):
        """How often the other side said goodbye to one of them."""
        return self.told.get("closed", 0)

    @property
    def backs(self):
        return self.told.get("backs", 0)

    def losses(self):
        """What is not as it should be: {"missed": 3}."""
        wrong = {name: self.told[name] for name in LOSSES if self.told.get(name)}
        if self.playing != self.clients:
            wrong["playing"] = self.playing
        return wrong

    def signal(self, signo):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signo)

    async def end(self, signo):
        """By that signal: SIGTERM says goodbye, SIGKILL does not."""
        self.signal(signo)
        try:
            await asyncio.wait_for(self.process.wait(), GOODBYE_S)
        except asyncio.TimeoutError:
            self.signal(signal.SIGKILL)
            await self.process.wait()

    async def close(self):
        if self.process is None:
            return
        if self.process.returncode is None:
            await self.end(signal.SIGTERM)
        await asyncio.gather(self.task, return_exceptions=True)
