#!/usr/bin/python3 -B
"""Every process is locked in, and one that does what it must not is named, counted and replaced."""

import os
import re

import rig
from wait import until

FILTERED = "2"


def is_built_in():
    with open(os.path.join(rig.build_dir(), "config.h"), encoding="ascii") as file:
        return "#define CAMHUB_NO_SANDBOX" not in file.read()


def kernel_says(pid):
    """{"Seccomp": "2", "NoNewPrivs": "1", ...}, of all threads alike."""
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as status:
            text = status.read()
        fields = {key: re.search(rf"^{key}:\s*(\S+)", text, re.M)[1] for key in ("Seccomp", "NoNewPrivs", "Seccomp_filters")}
        if found and fields != found:
            raise AssertionError(f"threads of {pid} differ: {found}, {fields}")
        found = fields
    return found


class Sandbox(rig.Case):
    def setUp(self):
        if not is_built_in():
            self.skipTest("built without a sandbox")

    def test_everybody_is_locked_in(self):
        server = self.rtsp()
        hub = self.hub([{"name": "door", "url": server.url("h264"), "ingest": "auto"},
                        {"name": "udp", "url": server.url("h264"), "ingest": "auto", "transport": "udp"},
                        {"name": "av", "url": server.url("h264"), "ingest": "av"},
                        {"name": "clock", "url": "test:clock?size=320x180&fps=5"}])
        for name in ("door", "udp", "av", "clock"):
            hub.wait_state(name, "up")
        viewer = self.viewer(hub, "door")
        viewer.wait_more(5)
        self.assertEqual(hub.get("/api/frame.jpeg?src=door")[0], 200)
        # The supervisor's filter; OPENING; RUNNING. The front has one of its own.
        filters = {"camhub-worker": 3, "camhub-worker-av": 3, "camhub-http": 2}
        seen = set()
        for pid, argv in rig.descendants(hub.process.pid).items():
            program = os.path.basename(argv[0]) if argv else ""
            if program not in filters:
                continue
            seen.add(program)
            until(lambda: int(kernel_says(pid)["Seccomp_filters"]) == filters[program],
                  lambda: f"{argv}: {kernel_says(pid)}")
            self.assertEqual(kernel_says(pid)["Seccomp"], FILTERED, argv)
            self.assertEqual(kernel_says(pid)["NoNewPrivs"], "1", argv)
        self.assertEqual(seen, set(filters))
        for message in hub.status()[1]["cameras"] + hub.status()[1]["processes"]:
            self.assertRegex(message["sandbox"], r"^seccomp (landlock-abi\d+|no-landlock)$")
        for camera in hub.status()[1]["cameras"]:
            self.assertEqual(camera["violations"], 0)
        self.assertEqual(hub.status()[1]["supervisor"]["violations"], 0)
        self.assertIn("sandbox:       seccomp", hub.camctl("status", "door")[1])

    def test_a_violation(self):
        probe = os.path.join(rig.build_dir(), "tests", "helpers", "sandbox_probe")
        hub = self.hub([{"name": "clock", "url": "test:clock?size=320x180&fps=5"}])
        hub.wait_state("clock", "up")
        worker = hub.path("libexec", "camhub-worker-av")
        good = os.readlink(worker)

        def install(program):
            os.symlink(program, worker + ".new")
            os.rename(worker + ".new", worker)

        # A worker that is ready, and then opens a file.
        install(probe)
        os.kill(hub.child("camhub-worker-av clock"), 9)
        camera = until(lambda: next((one for one in [hub.camera("clock")] if one["violations"] >= 2), None),
                       "violations are counted")
        self.assertIn("openat", camera["last_error"])
        self.assertIn("its sandbox forbids openat", hub.log())
        self.assertRegex(hub.log(), r"sandbox: the system call \d+ is forbidden")
        self.assertIn("killed for a forbidden system call", hub.camctl("status", "clock")[1])
        self.assertIn("killed for a forbidden system call", hub.camctl("status")[1])
        install(good)
        hub.wait_state("clock", "up", deadline_s=60)

    def test_it_can_be_switched_off_and_status_says_so(self):
        hub = self.hub([{"name": "clock", "url": "test:clock?size=320x180&fps=5"}], environ={"CAMHUB_SANDBOX": "off"})
        hub.wait_state("clock", "up", sandbox="off")
        self.assertEqual(kernel_says(hub.child("camhub-worker-av clock"))["Seccomp_filters"], "0")
        self.assertEqual(hub.status()[1]["supervisor"]["sandbox"], "off")


if __name__ == "__main__":
    rig.main()
