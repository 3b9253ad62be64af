#!/usr/bin/python3 -B
"""
The real camhub-worker against cameras that make mistakes: rtsp_sessions.py [--sessions N] [--first SEED].

Each session is one worker and one connection on loopback. It must end in pictures or in an error that the worker
states, within HANG_S, without a crash, a secret or a control byte in its log, and without growing. A camera without
mistakes must end in pictures. What failed is printed with its number: --first NUMBER --sessions 1 --verbose plays
it again.
"""

import argparse
import concurrent.futures
import json
import os
import random
import re
import select
import signal
import socket
import sys
import tempfile
import time

from rtsp_fake import Camera

HANG_S = 10 * float(os.environ.get("HARNESS_SLOW", "1"))
GROWTH_KIB = 16 << 10
PASSWORD = "hunter2hunter2"
EXIT_ASKED, EXIT_RETRY = 0, 75
OPEN_TIMEOUT_MS, STALL_MS = 1500, 800  # of the bad ones; a good one may be slow here, and needs neither
GOOD_TIMEOUT_MS = int(HANG_S * 800)
SANITIZED = ("AddressSanitizer", "runtime error:", "LeakSanitizer")


class Fault(Exception):
    """What must not be."""


def worker_path():
    """make check runs in BUILD/tests; by hand CAMHUB_BUILD_DIR says where."""
    for top in (os.environ.get("CAMHUB_BUILD_DIR"), "..", "."):
        path = os.path.join(top or "", "worker", "camhub-worker")
        if top and os.path.exists(path):
            return os.path.abspath(path)
    raise SystemExit("no camhub-worker here: set CAMHUB_BUILD_DIR")


def tcp_pair():
    """Two connected sockets with addresses: ours, the worker's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for end in (ours, theirs):
        end.setblocking(False)
    return ours, theirs


def udp_pair():
    """Two sockets on an even port and the next one."""
    for _ in range(100):
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            if port % 2 == 0:
                second.bind(("127.0.0.1", port + 1))
                return port, first, second
        except OSError:
            pass
        first.close()
        second.close()
    raise Fault("no pair of ports")


class Session:
    """seed decides all; every eighth camera makes no mistake."""

    def __init__(self, path, folder, seed):
        self.rng = random.Random(~seed)
        self.is_clean = seed % 8 == 0
        self.camera = Camera(seed, 0 if self.is_clean else self.rng.choice((1, 1, 2, 3)))
        self.bus = os.path.join(folder, "%d.sock" % seed)
        self.ours, theirs = tcp_pair()
        self.unread, self.unsent, self.packets = b"", b"", []
        self.udp, self.udp_to = {}, {}
        self.is_up = self.is_asked = self.has_played = False
        self.ended = None
        self.log = os.memfd_create("log")
        self.channel, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = self.spawn(path, end)
        self.pidfd = os.pidfd_open(self.pid)
        self.configure(theirs)
        theirs.close()

    def spawn(self, path, end):
        environment = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=4:" + os.environ.get("ASAN_OPTIONS", ""))
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            return os.posix_spawn(path, ["camhub-worker", "fuzz"], environment, file_actions=[
                (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, self.log, 1),
                (os.POSIX_SPAWN_DUP2, self.log, 2), (os.POSIX_SPAWN_DUP2, end.fileno(), 3)])
        finally:
            os.close(null)
            end.close()

    def configure(self, theirs):
        transport = self.rng.choice(("auto", "auto", "auto", "tcp", "udp"))
        if self.is_clean and self.camera.refuses_tcp:
            transport = "auto"
        config = {"type": "worker-config", "stream": "fuzz", "stream_id": 1, "epoch": 1,
                  "url": "rtsp://127.0.0.1:%d/a" % theirs.getpeername()[1], "user": "admin", "password": PASSWORD,
                  "transport": transport, "bus": self.bus, "bus_mode": 0o600, "gop_cache_bytes": 1 << 20,
                  "open_timeout_ms": GOOD_TIMEOUT_MS if self.is_clean else OPEN_TIMEOUT_MS,
                  "stall_ms": GOOD_TIMEOUT_MS if self.is_clean else STALL_MS, "log_level": "debug", "probe": False,
                  "tls": "verify", "keep_vui": self.rng.random() < 0.3, "reorder_ms": 20}
        self.say(config, [theirs.fileno()])
        if self.rng.random() < 0.5:
            self.say({"type": "demand", "on": True})

    def say(self, message, fds=()):
        try:
            socket.send_fds(self.channel, [json.dumps(message).encode()], fds)
        except (BrokenPipeError, ConnectionResetError):
            pass

    # What the worker says.

    def on_message(self):
        try:
            data = self.channel.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            return False
        message = json.loads(data)
        if message["type"] == "input":
            self.is_up |= message["state"] == "up"
            if message["state"] == "ended":
                self.ended = message
        return True

    # What the camera does.

    def open_udp(self, client_port):
        port, first, second = udp_pair()
        self.udp[port] = (first, second)
        self.udp_to[port] = client_port
        return port

    def on_request(self):
        try:
            data = self.ours.recv(1 << 16)
        except (ConnectionResetError, BlockingIOError):
            data = b""
        self.unread += data
        while True:
            while self.unread[:1] == b"$" and len(self.unread) >= 4:
                self.unread = self.unread[4 + int.from_bytes(self.unread[2:4], "big"):]
            head, end, rest = self.unread.partition(b"\r\n\r\n")
            if not end:
                return bool(data)
            self.unread = rest
            self.send(self.camera.answer(head + end, self.open_udp))
            if head.startswith(b"PLAY") and (self.camera.channels or self.camera.ports) and not self.has_played:
                self.play()

    def play(self):
        self.has_played = True
        self.packets = self.camera.packets()
        if not self.camera.ports:
            for packet in self.packets:
                self.send(self.camera.frame(*packet))

    def send(self, data):
        self.unsent += self.camera.wire(data)

    def flush(self):
        """Some of what is to be sent. UDP goes a few packets at a time, after all of TCP."""
        try:
            if self.unsent:
                size = self.rng.choice((1, 7, 100, 2000, 1 << 20)) if len(self.unsent) < 20000 else 1 << 20
                self.unsent = self.unsent[self.ours.send(self.unsent[:size]):]
            elif self.camera.is_closing:
                return False
            for track, is_rtcp, packet in self.packets[:8] if self.camera.ports and not self.unsent else ():
                port = self.camera.ports[track % len(self.camera.ports)]
                self.udp[port][is_rtcp].sendto(packet, ("127.0.0.1", self.udp_to[port] + is_rtcp))
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError, ConnectionRefusedError, OverflowError):
            return False
        if self.camera.ports and not self.unsent:
            del self.packets[:8]
        return True

    def has_more(self):
        return bool(self.unsent) or self.camera.is_closing or (bool(self.camera.ports) and bool(self.packets))

    # The course of it.

    def watch(self, deadline):
        """Until the worker is gone."""
        is_open = is_heard = True
        while True:
            wanted = [self.pidfd] + [self.channel] * is_heard + [self.ours] * is_open
            readable, writable, _ = select.select(wanted, [self.ours] if is_open and self.has_more() else [], [],
                                                  max(0, deadline - time.monotonic()))
            if not readable and not writable:
                raise Fault("hangs: up %s, ended %s" % (self.is_up, self.ended))
            if self.channel in readable:
                is_heard = self.on_message()
            if self.ours in readable:
                is_open = self.on_request()
            if is_open and self.ours in writable:
                is_open = self.flush()
            if not is_open:
                self.ours.close()
            if self.pidfd in readable and self.channel not in readable:
                return
            if self.is_up and not self.is_asked and self.has_played and not (is_open and self.has_more()):
                self.is_asked = True
                self.say({"type": "stop"})

    def judge(self, status, usage):
        code = os.waitstatus_to_exitcode(status)
        log = os.pread(self.log, 1 << 20, 0).decode("latin1")
        if code < 0:
            raise Fault("died of signal %d" % -code)
        for word in SANITIZED + (PASSWORD,):
            if word in log:
                raise Fault("%r in its log" % word)
        if re.search(r"[^\n\t\x20-\x7e]", log):
            raise Fault("a control byte in its log")
        if code == EXIT_RETRY and (self.ended is None or not self.ended.get("reason")):
            raise Fault("left without a reason: %s" % self.ended)
        if code not in (EXIT_ASKED, EXIT_RETRY) or (code == EXIT_ASKED and not self.is_asked):
            raise Fault("left with %d" % code)
        if self.is_clean and not self.is_up:
            raise Fault("no pictures of a good camera: %s" % self.ended)
        # As the supervisor does: who is locked in removes no file.
        if not os.path.exists(self.bus):
            raise Fault("had no bus")
        os.unlink(self.bus)
        return "pictures" if self.is_up else self.ended["class"], usage.ru_maxrss

    def run(self):
        status = usage = None
        try:
            self.watch(time.monotonic() + HANG_S)
        except Fault:
            os.kill(self.pid, signal.SIGKILL)
            raise
        finally:
            _, status, usage = os.wait4(self.pid, 0)
        return self.judge(status, usage)

    def close(self):
        for end in (self.ours, self.channel, *(end for pair in self.udp.values() for end in pair)):
            end.close()
        os.close(self.pidfd)
        os.close(self.log)


def play(path, folder, seed, verbose=False):
    """(what it ended in or None, KiB, what is wrong or None)"""
    session = Session(path, folder, seed)
    try:
        result, kib = session.run()
        return result, kib, None
    except Fault as fault:
        return None, 0, "session %d (%s, %s): %s" % (
            seed, session.camera.codec, ", ".join(sorted(f.__name__ for f in session.camera.faults)) or "good", fault)
    finally:
        if verbose:
            sys.stdout.write(os.pread(session.log, 1 << 20, 0).decode("latin1"))
            print(session.ended)
        session.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    path, found, faults, kib = worker_path(), {}, [], []
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        seeds = range(options.first, options.first + options.sessions)
        jobs = [pool.submit(play, path, folder, seed, options.verbose) for seed in seeds]
        for job in jobs:
            result, size, fault = job.result()
            if fault is not None:
                faults.append(fault)
                print(fault, flush=True)
                continue
            found[result] = found.get(result, 0) + 1
            kib.append(size)
    if kib and max(kib) - min(kib) > GROWTH_KIB:
        faults.append("between %d and %d KiB of memory" % (min(kib), max(kib)))
        print(faults[-1])
    print("%d sessions: %s; at most %d KiB" % (
        options.sessions, ", ".join("%s %d" % pair for pair in sorted(found.items())), max(kib, default=0)))
    return 1 if faults or not found.get("pictures") else 0


if __name__ == "__main__":
    sys.exit(main())
