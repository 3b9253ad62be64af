#!/usr/bin/python3 -B
"""
A disk that is full, and one that is read-only, below the runtime directory and below the state directory: what runs
goes on, status says so, and all is well when the disk is. In a mount namespace of its own.
"""

import contextlib
import ctypes
import os
import subprocess
import unittest

import rig
from wait import until

WORD = "Tr0ub4dor-und-3-Pferde"
CLONE_NEWNS = 0x20000
CLOCK = {"name": "door", "url": "test:clock?size=320x180&fps=10&gop=20"}


def mount(*words):
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise unittest.SkipTest(f"mount {' '.join(words)}: {done.stderr.strip()}")


class SmallDisks(rig.Camhub):
    """Its runtime and its state directory are small file systems."""

    def start(self):
        for name in ("run", "state"):
            os.makedirs(self.path(name), mode=0o700, exist_ok=True)
            if not os.path.ismount(self.path(name)):
                mount("-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", self.path(name))
        super().start()

    def fill(self, name):
        with open(self.path(name, "filler"), "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def trouble(self):
        """(exit code of camctl status, what it says is wrong)"""
        code, out, _ = self.camctl("status")
        return code, [line for line in out.splitlines() if line.startswith("degraded: ")]

    def wait_trouble(self, name, why):
        """None: until there is none."""
        last = []

        def so():
            last[:] = self.trouble()
            return (not last[1]) if why is None else last[0] == 1 and any(
                self.path(name) in line and why in line for line in last[1])

        until(so, lambda: f"{name}: {why}, but {last}")


class Disk(rig.Case):
    @classmethod
    def setUpClass(cls):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
            raise unittest.SkipTest(f"no mount namespace: {os.strerror(ctypes.get_errno())}")
        mount("--make-rprivate", "/")

    def small(self, **options):
        hub = SmallDisks([CLOCK], **options)
        rig.hubs.append(hub)
        self.addCleanup(rig.finish_hub, hub)
        hub.wait_serving()
        hub.wait_state("door", "up")
        return hub

    def test_runtime_directory(self):
        hub = self.small()
        viewer = self.viewer(hub, "door")
        viewer.wait_more(5)
        self.assertEqual(hub.trouble(), (0, []))
        hub.fill("run")
        hub.wait_trouble("run", "it is full")
        viewer.wait_more(5, "pictures with a full disk")
        os.unlink(hub.path("run", "filler"))
        hub.wait_trouble("run", None)
        # Of another mount on top: of the one below the lock is open.
        mount("--bind", hub.path("run"), hub.path("run"))
        mount("-o", "remount,bind,ro", hub.path("run"))
        hub.wait_trouble("run", "it is read-only")
        viewer.wait_more(5, "pictures with a disk that is read-only")
        # Who comes newly sees them too; who ends has no place to come back to.
        self.viewer(hub, "door").wait_more(1)
        worker = hub.child("camhub-worker-av door")
        os.kill(worker, rig.signal.SIGKILL)
        until(lambda: hub.camera("door").get("restarts", 0) >= 2, "it is tried again")
        self.assertEqual(hub.get("/healthz")[0], 200)
        subprocess.run(["umount", "--lazy", hub.path("run")], check=True)
        hub.wait_trouble("run", None)
        hub.wait_state("door", "up")
        viewer.wait_more(5, "pictures again")
        self.assertEqual(hub.trouble()[0], 0)

    def test_state_directory(self):
        users = {"access": {"users": [{"name": "ann", "cameras": ["door"]}]}}
        hub = self.small(extra=users)
        self.assertEqual(hub.trouble(), (0, []))
        hub.fill("state")
        hub.wait_trouble("state", "it is full")
        code, out, err = hub.camctl("passwd", "ann", stdin=WORD + "\n")
        self.assertEqual(code, 1)
        self.assertIn("only until camhub ends", out + err)
        hub.wait_state("door", "up")
        os.unlink(hub.path("state", "filler"))
        hub.wait_trouble("state", None)
        # Not the operator has to do it again.
        with open(hub.path("state", "passwd"), encoding="ascii") as file:
            self.assertTrue(file.read().startswith("ann:$y$"))
        with open(hub.path("state", "revoked"), encoding="ascii") as file:
            self.assertIn("generation ann ", file.read())


if __name__ == "__main__":
    rig.main()
