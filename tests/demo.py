#!/usr/bin/env python3
"""The demo as a person uses it: ./bootstrap.sh demo on a terminal, a look at the wall, ^C.

Not part of "make check" (it builds and may install packages); CI runs it. Exit 0 when all held.
"""
import glob
import json
import os
import pty
import re
import select
import signal
import socket
import sys
import time
import unittest
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEADLINE_S = 600  # the first run may install and build


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def processes_of(session):
    """(pid, command line) of every process in the session, zombies left out."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as stat:
                fields = stat.read().rpartition(")")[2].split()
            with open(os.path.dirname(path) + "/cmdline", "rb") as cmdline:
                argv = cmdline.read()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append((int(path.split("/")[2]), argv.replace(b"\0", b" ").decode()))
    return found


def children_of_supervisor(session):
    """Children are sessions of their own: found by their parent."""
    parents = {pid for pid, argv in processes_of(session) if "camhub-supervisor" in argv}
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as stat:
                fields = stat.read().rpartition(")")[2].split()
            with open(os.path.dirname(path) + "/cmdline", "rb") as cmdline:
                argv = cmdline.read()
        except OSError:
            continue
        if int(fields[1]) in parents:
            found.append((int(path.split("/")[2]), argv.replace(b"\0", b" ").decode()))
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Demo:
    """./bootstrap.sh demo ARGS on a pseudo terminal."""

    def __init__(self, *args):
        self.output = ""
        self.status = None
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execv("./bootstrap.sh", ["./bootstrap.sh", "demo", *args])

    def read_until(self, pattern, seconds=DEADLINE_S):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.output):
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"no {pattern!r} in:\n{self.output}")

    def _read(self, seconds):
        if not select.select([self.terminal], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # EIO: everybody has closed the terminal
            return False
        self.output += data.decode(errors="replace")
        return bool(data)

    def press_ctrl_c(self):
        os.write(self.terminal, b"\x03")

    def wait(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._read(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                return self.status
        raise AssertionError(f"still runs; output:\n{self.output}")

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGTERM)
            try:
                self.wait(20)
            except AssertionError:
                os.killpg(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        os.close(self.terminal)


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read()


def wait_for(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true")
        time.sleep(0.2)


class DemoTest(unittest.TestCase):
    def start(self, *args):
        demo = Demo(*args)
        self.addCleanup(demo.close)
        return demo

    def assert_nothing_left(self, demo, children):
        self.assertEqual(glob.glob("/tmp/camhub-demo.*"), [])
        self.assertEqual(processes_of(demo.pid), [])
        self.assertEqual([pid for pid, _ in children if is_alive(pid)], [])

    def test_wall_of_synthetic_cameras_until_ctrl_c(self):
        port = free_port()
        demo = self.start("--listen", f"127.0.0.1:{port}")
        demo.read_until(rf"The wall: http://127\.0\.0\.1:{port}/")

        def all_up():
            streams = json.loads(get(port, "/api/streams"))
            return len(streams) == 3 and all(s["state"] == "up" for s in streams.values())

        wait_for(all_up, "three cameras up")
        self.assertIn(b"<html", get(port, "/"))
        for camera in ("door", "yard", "till"):
            self.assertEqual(get(port, f"/api/frame.jpeg?src={camera}")[:2], b"\xff\xd8")
        children = children_of_supervisor(demo.pid)
        self.assertGreaterEqual(len(children), 4)
        demo.press_ctrl_c()
        self.assertEqual(demo.wait(), 0, demo.output)
        self.assert_nothing_left(demo, children)

    def test_people_are_found(self):
        port = free_port()
        demo = self.start("--listen", f"127.0.0.1:{port}", "--analyse", "people")
        demo.read_until(rf"The wall: http://127\.0\.0\.1:{port}/")

        def results():
            return sum(one["results"] for one in json.loads(get(port, "/api/analysers")) if one["name"] == "people")

        wait_for(lambda: results() > 10, "results of the program")
        told = json.loads(get(port, "/api/analysers"))[0]
        self.assertEqual(sorted(name for name in told["streams"] if "." not in name), ["door", "yard"])
        self.assertEqual(set(told["dropped"].values()), {0})
        children = children_of_supervisor(demo.pid)
        demo.press_ctrl_c()
        self.assertEqual(demo.wait(), 0, demo.output)
        self.assertNotIn("Traceback", demo.output)
        self.assert_nothing_left(demo, children)

    def test_password_of_a_url_stays_out_of_command_lines(self):
        port = free_port()
        demo = self.start("--listen", f"127.0.0.1:{port}", "rtsp://guard:s3cr%40tword@127.0.0.1:9/stream1")
        demo.read_until("The wall: ")
        streams = get(port, "/api/streams")
        self.assertNotIn(b"s3cr", streams)
        self.assertIn("cam1", json.loads(streams))
        # The person's own command line is theirs; nobody else's may have it.
        others = [argv for pid, argv in processes_of(demo.pid) + children_of_supervisor(demo.pid)
                  if "bootstrap.sh" not in argv]
        self.assertTrue(any("camhub-supervisor" in argv for argv in others))
        self.assertEqual([argv for argv in others if "s3cr" in argv], [])
        creds = glob.glob("/tmp/camhub-demo.*/cameras.cred")
        self.assertEqual([oct(os.stat(path).st_mode & 0o777) for path in creds], ["0o600"])
        with open(creds[0]) as file:
            self.assertEqual(file.read(), "cam1:guard:s3cr@tword\n")
        children = children_of_supervisor(demo.pid)
        demo.press_ctrl_c()
        self.assertEqual(demo.wait(), 0, demo.output)
        self.assertNotIn("s3cr@tword", demo.output)
        self.assert_nothing_left(demo, children)

    def test_port_in_use_is_said_clearly(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            demo = self.start("--listen", f"127.0.0.1:{port}")
            self.assertNotEqual(demo.wait(DEADLINE_S), 0)
            self.assertRegex(demo.output, rf"(?i)127\.0\.0\.1:{port}.*in use")
            self.assert_nothing_left(demo, [])

    def test_address_that_others_reach_needs_insecure(self):
        demo = self.start("--listen", f"0.0.0.0:{free_port()}")
        self.assertNotEqual(demo.wait(), 0)
        self.assertIn("--insecure", demo.output)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
