#!/usr/bin/python3 -B
"""Every process is locked in, and one that does what it must not is named, counted and replaced."""

import http.server
import os
import re
import ssl
import subprocess
import tempfile
import threading

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

    def receiver(self, handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def test_locked_in_it_speaks_tls(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        subprocess.run([rig.program("camhub-certificate", "http"), "--name", "localhost", directory], check=True,
                       capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{directory}/camhub.crt", f"{directory}/camhub.key")
        server = self.receiver(http.server.BaseHTTPRequestHandler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda *_: None
        hub = self.hub([{"name": "clock", "url": "test:clock?size=320x180&fps=5"}],
                       extra={"on_event": {"url": f"https://localhost:{server.server_address[1]}/"}})
        until(lambda: "on_event: not delivered: localhost: its certificate is not trusted" in hub.log(), hub.log)

    def test_helpers_are_locked_in(self):
        """The one that knows passwords, and, while it waits for its answer, the one that delivers events."""
        asked, go = threading.Event(), threading.Event()
        self.addCleanup(go.set)

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked.set()
                go.wait(60)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = self.receiver(Receiver)
        hub = self.hub([{"name": "clock", "url": "test:clock?size=320x180&fps=5"}],
                       extra={"access": {"users": [{"name": "ann"}]},
                              "on_event": {"url": f"http://localhost:{server.server_address[1]}/", "timeout": "60s"}})
        until(asked.is_set, lambda: f"an event: {hub.log()}")
        for pid in (hub.child("camhub-event event"), hub.child("camhub-auth auth")):
            # The supervisor's, and its own.
            until(lambda pid=pid: kernel_says(pid)["Seccomp_filters"] == "2", lambda pid=pid: f"{kernel_says(pid)}")
            self.assertEqual(kernel_says(pid), {"Seccomp": FILTERED, "NoNewPrivs": "1", "Seccomp_filters": "2"})
        go.set()
        until(lambda: "camhub-event event" not in hub.children(), "it has left")
        self.assertNotIn("on_event: not delivered", hub.log())

    def test_a_violation(self):
        probe = os.path.join(rig.build_dir(), "tests", "helpers", "sandbox_probe")
        hub = self.hub([{"name": "clock", "url": "test:clock?size=320x180&fps=5"}])
        hub.may_violate = True
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
