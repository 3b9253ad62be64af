"""
The camhub that faults happen to: the rig's, with what the driver needs beside it. The loop of the driver never waits
for it: what blocks runs in a thread. Defences are taken away (Tamper) by configuration, or by a library that is
loaded into one of its programs (saboteur.c).
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import time
from typing import NamedTuple

import rig

SABOTEUR = "chaos/saboteur.so"


class Tamper(NamedTuple):
    """
    What is taken away: extra is merged over the configuration and camera over each camera of it; sabotage is {program:
    "word,word"}. finds: what the complaint must say, a part of it; without the right complaint the control has failed.
    times: how often the fault is done for it to show.
    """

    what: str
    finds: str
    extra: dict = {}
    camera: dict = {}
    sabotage: dict = {}
    times: int = 2


def saboteur():
    """The library, or None: not built, or of no use because the programs are sanitized."""
    path = next((path for path in (os.path.join(top, "tests", SABOTEUR) for top in (rig.build_dir(), rig.source_dir()))
                 if os.path.exists(path)), None)
    return None if rig.is_sanitized() else path


def merged(*layers):
    """Dictionaries laid over each other, two levels deep."""
    result = {}
    for layer in layers:
        for key, value in layer.items():
            result[key] = {**result.get(key, {}), **value} if isinstance(value, dict) else value
    return result


class Kin:
    """Who descends from a process, without reading all of /proc again each time."""

    def __init__(self):
        self.known = {}  # pid: (ppid, argv)

    def look(self, root, own):
        """{pid: argv} of what lives below root; own: the program name of root, which a child has until it execs."""
        pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        self.known = {pid: about for pid, about in self.known.items() if pid in pids}
        for pid in pids - self.known.keys():
            about = self._read(pid)
            if about is None or not about[1]:
                continue
            name = os.path.basename(about[1][0])
            # A child of ours that has not become what it is to be (by exec, twice with a wrapper) is looked at again.
            if about[0] != root or (name.startswith("camhub-") and name != own):
                self.known[pid] = about
        found, front = {}, [root]
        while front:
            parent = front.pop()
            for pid, (ppid, argv) in self.known.items():
                if ppid == parent and pid not in found and alive(pid):
                    found[pid] = argv
                    front.append(pid)
        return found

    @staticmethod
    def _read(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
                ppid = int(stat.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                return ppid, cmdline.read().decode("latin-1").split("\0")[:-1]
        except (OSError, IndexError):
            return None


def alive(pid):
    """It runs: neither gone nor a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


async def death_of(pidfd):
    """When (CLOCK_MONOTONIC) the process of a pidfd was dead; closes it."""
    loop, dead = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pidfd, dead.set)
    try:
        await dead.wait()
        return time.monotonic()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)


class Killed(NamedTuple):
    pid: int
    at: float     # the signal
    dead: float   # the end


class House(rig.Camhub):
    """
    cameras, extra, ...: as the rig has them. manager: who keeps its listener (see manager.py), or None. sabotage: {program:
    words} of a fault itself, beside the tamper's.
    """

    def __init__(self, cameras, tamper=None, manager=None, environ=None, sabotage=None, **options):
        self.tamper, self.manager, self.kin = tamper, manager, Kin()
        self.sabotage = dict(sabotage or {})
        for name, words in (tamper.sabotage if tamper else {}).items():
            self.sabotage[name] = ",".join(filter(None, (self.sabotage.get(name), words)))
        self.log_to = None
        options["extra"] = merged(options.get("extra") or {}, tamper.extra if tamper else {})
        environ = dict(environ or {})
        if "camhub-supervisor" in self.sabotage:
            # Bound already, it does not exec itself anew, where the saboteur would not be.
            environ.update(SABOTAGE=self.sabotage["camhub-supervisor"], LD_PRELOAD=saboteur(), LD_BIND_NOW="1")
        rig.hubs.append(self)  # whose process is no orphan
        super().__init__(cameras, environ=environ, **options)

    def configure(self, cameras, credentials=None):
        more = self.tamper.camera if self.tamper else {}
        super().configure([{**camera, **more} for camera in cameras], credentials)

    def _link_programs(self):
        super()._link_programs()
        for name, words in self.sabotage.items():
            if name in rig.PROGRAMS:
                self.wrap(name, f"SABOTAGE={words} LD_PRELOAD={saboteur()}")

    def wrap(self, name, variables="", before=""):
        """Its program becomes a script: `before` is run by the shell, then the real one with more environment."""
        path, real = os.path.join(self.libexec, name), rig.program(name, rig.PROGRAMS[name])
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\n{before}\n{variables} exec {real} "$@"\n')

    def start(self):
        args, environ, keep = self.command(), self.environment(), ()
        if self.manager is not None:
            args, keep = self.manager.dress(args, environ)
        with open(self.path("log"), "ab") as log:
            self.launch(args, environ, log if self.log_to is None else self.log_to, keep)

    # --- asking it, without waiting in the loop ------------------------------------------------

    def socket(self, read_bytes=0):
        """For a client; read_bytes: of the kernel's buffer, 0 the usual."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if read_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, read_bytes)
        return sock

    async def request(self, kind, timeout_s=20, **fields):
        """ask() in the driver's loop: all messages of the answer. OSError when there is none."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as channel:
            async def talk():
                channel.connect(os.path.join(self.runtime, "ctl.sock"))
                await loop.sock_sendall(channel, json.dumps({"type": kind, **fields}).encode())
                answer = []
                while not answer or answer[-1]["type"] != "done":
                    data = await loop.sock_recv(channel, 1 << 16)
                    if not data:
                        raise ConnectionResetError("the supervisor closed the control channel")
                    answer.append(json.loads(data))
                return answer
            try:
                return await asyncio.wait_for(talk(), timeout_s)
            except asyncio.TimeoutError as error:
                raise OSError(f"no answer to {kind} in {timeout_s} s") from error

    async def status_of(self, name):
        """The camera's message of the status, {} when there is none."""
        for message in await self.request("status"):
            if message["type"] == "camera" and message["name"] == name:
                return message
        return {}

    async def run_camctl(self, *words):
        return await asyncio.to_thread(self.camctl, *words)

    async def get_json_of(self, path):
        """OSError when it is not there."""
        try:
            return await asyncio.to_thread(self.get_json, path)
        except (AssertionError, http.client.HTTPException) as error:
            raise ConnectionError(str(error)) from error

    # --- its processes ---------------------------------------------------------------------------

    def pids(self):
        """{"camhub-worker door": pid} of what lives now."""
        if self.process is None:
            return {}
        return {" ".join([os.path.basename(argv[0]), *argv[1:]]): pid
                for pid, argv in self.kin.look(self.process.pid, "camhub-supervisor").items()
                if argv and os.path.basename(argv[0]).startswith("camhub-")}

    def worker(self, name):
        return self.pids().get(f"camhub-worker {name}")

    def fronts(self):
        """The pids of all: one that drains is called as its successor is."""
        return {pid for pid, argv in self.kin.look(self.process.pid, "camhub-supervisor").items()
                if os.path.basename(argv[0]) == "camhub-http"} if self.process else set()

    def front(self):
        return self.pids().get("camhub-http http")

    def rtc(self):
        return self.pids().get("camhub-rtc rtc")

    async def kill(self, pid, signo=signal.SIGKILL, waits=True):
        """A signal to a process of ours, by pidfd, and its death."""
        pidfd = os.pidfd_open(pid)
        at = time.monotonic()
        signal.pidfd_send_signal(pidfd, signo)
        if not waits:
            os.close(pidfd)
            return Killed(pid, at, None)
        return Killed(pid, at, await death_of(pidfd))

    # --- the end ---------------------------------------------------------------------------------

    async def end(self):
        """SIGTERM: it leaves with 0, and nothing is left."""
        if self.manager is not None:
            self.manager.retire()
        await asyncio.to_thread(self.stop)

    def destroy(self):
        """Whatever state it is in: nothing of it runs afterwards, its directory is gone."""
        if self.manager is not None:
            self.manager.close()
        below = list(self.kin.look(self.process.pid, "camhub-supervisor")) if self.process else []
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        for pid in {*below, *rig.orphans()}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        rig.hubs.remove(self)
        rig.orphans()  # reaps them
        self.remove()
