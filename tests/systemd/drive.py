#!/usr/bin/python3 -B
"""
What is tried under the lab's systemd with the units as installed: run there by lab.service. Each
test leaves the service as it found it: running, with the good configuration.
"""

import base64
import ctypes
import glob
import json
import os
import signal
import ssl
import stat
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, "/lab/e2e")

from viewer import Viewer  # noqa: E402
from wait import until  # noqa: E402

PORT = 8080
UNIT = "camhub.service"
LANDLOCK_CREATE_RULESET = 444  # on every machine
# Of what was installed; and whether it was built with sanitizers.
with open("/lab/paths.json", encoding="utf-8") as file:
    PATHS = json.load(file)
CAMERAS = """cameras:
  - name: door
    url: test:clock?size=320x180&fps=10&gop=10
  - name: yard
    url: test:clock?size=320x180&fps=5&gop=50
"""


# The service as a shop would run it: TLS, users, four cameras.
STATE_DIRECTORY = "/var/lib/camhub"
SECURED = f"""tls:
  certificate: {STATE_DIRECTORY}/camhub.crt
  key: {STATE_DIRECTORY}/camhub.key
access:
  users:
    - {{ name: ann, role: viewer, cameras: [ "door", "cam*" ] }}
    - {{ name: bob, role: operator }}
cameras:
""" + "".join(f"""  - name: {name}
    url: test:clock?size=320x180&fps=10&gop=10
""" for name in ("door", "cam1", "cam2", "till"))


def run(*command, check=True, stdin=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, input=stdin)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.returncode} {done.stdout} {done.stderr}")
    return done


def show(name, unit=UNIT):
    return run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()


def get(path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:  # it is being started
        return 0, b""


def write_config(text):
    with open(PATHS["config"], "w", encoding="utf-8") as config:
        config.write(text)


def main_pid():
    return int(show("MainPID"))


def cgroup_pids():
    """All processes of the unit."""
    found = set()
    for at, _, _ in os.walk(f"/sys/fs/cgroup/system.slice/{UNIT}"):
        with open(f"{at}/cgroup.procs", encoding="ascii") as procs:
            found |= {int(pid) for pid in procs.read().split()}
    return found


def status():
    done = run(PATHS["camctl"], "--runtime-dir", "/run/camhub", "status", "--json", check=False)
    return json.loads(done.stdout) if done.stdout.strip() else {}


def all_up(number=2):
    cameras = status().get("cameras", [])
    return len(cameras) == number and all(camera["state"] == "up" for camera in cameras)


class Asker(threading.Thread):
    """Asks /healthz over and over; .refused: connections that were not even accepted or answered."""

    def __init__(self, ask=get):
        super().__init__(daemon=True)
        self.ask = ask
        self.done = threading.Event()
        self.answered, self.refused = 0, []
        self.start()

    def run(self):
        while not self.done.wait(0.02):
            try:
                self.ask("/healthz")
                self.answered += 1
            except ConnectionRefusedError as error:
                self.refused.append(error)
            except urllib.error.URLError as error:
                if isinstance(error.reason, ConnectionRefusedError):
                    self.refused.append(error)
            except OSError:
                pass  # accepted by a process that was then killed: a reset is not a refusal

    def stop(self):
        self.done.set()
        self.join(30)


class Systemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("systemd-sysusers", PATHS["sysusers"])
        write_config(CAMERAS)
        started = time.monotonic()
        run("systemctl", "start", UNIT)
        cls.start_s = time.monotonic() - started
        if show("NRestarts") != "0":
            raise AssertionError("it needed more than one start")

    def setUp(self):
        until(all_up, lambda: f"both cameras are up: {status()}")

    def test_feeds_the_watchdog(self):
        """It lives longer than the watchdog's time, by itself."""
        pid = main_pid()
        limit = int(show("WatchdogUSec").rstrip("s"))
        started = int(show("ExecMainStartTimestampMonotonic")) / 1e6
        until(lambda: time.monotonic() - started > 1.7 * limit, "time passes")
        self.assertEqual(main_pid(), pid)

    def test_started(self):
        """Type=notify: start returns with READY, and then it answers."""
        self.assertEqual(get("/healthz")[0], 200)
        self.assertEqual(show("ActiveState"), "active")
        self.assertTrue(show("StatusText"))
        self.assertNotEqual(main_pid(), 0)
        print(f"start to READY: {self.start_s:.2f} s", flush=True)

    def test_memory_is_told(self):
        """The unit hides other processes: each tells its own memory."""
        until(lambda: all(c["rss_kib"] > 1024 for c in status()["cameras"] + status()["processes"]),
              lambda: f"all tell their memory: {status()}")

    def test_everybody_is_locked_in(self):
        """The filter of the unit lets them do so, with all that this kernel has."""
        version = ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)
        want = "seccomp " + (f"landlock-abi{version}" if version > 0 else "no-landlock")
        said = status()
        if PATHS["sanitized"]:  # built without
            self.assertEqual(said["supervisor"]["sandbox"], "off")
            return
        self.assertEqual({message.get("sandbox") for message in said["cameras"] + said["processes"]}, {want})
        self.assertEqual(said["supervisor"]["sandbox"], "seccomp")
        self.assertEqual(said["supervisor"]["violations"], 0)

    def test_runtime_directory(self):
        for at, names, files in os.walk("/run/camhub/"):
            for name in names + files:
                mode = os.lstat(os.path.join(at, name)).st_mode
                if stat.S_ISLNK(mode):  # has none of its own
                    continue
                self.assertEqual(mode & 0o007, 0, f"{at}/{name} is open to all")

    def test_supervisor_killed(self):
        asker = Asker()
        viewer = Viewer("127.0.0.1", PORT, "door")
        viewer.wait_more(3)
        times = []
        for _ in range(3):
            before, pid = cgroup_pids(), main_pid()
            started = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            until(lambda: main_pid() not in (0, pid), "a new supervisor")
            until(lambda: not before & cgroup_pids(), "the old processes are gone")
            until(lambda: not any(os.path.exists(f"/proc/{old}") for old in before), "reaped")
            again = Viewer("127.0.0.1", PORT, "door")
            again.wait_more(3, "pictures from the new one")
            times.append(round(time.monotonic() - started, 2))
            again.close()
            until(all_up, "both cameras are up")
        asker.stop()
        viewer.close()
        self.assertEqual(asker.refused, [])
        self.assertGreater(asker.answered, 5)
        print(f"killed, pictures again after: {times} s; {asker.answered} requests answered, "
              "none refused", flush=True)

    def test_restart_refuses_nobody(self):
        asker = Asker()
        run("systemctl", "restart", UNIT)
        until(all_up, "both cameras are up")
        asker.stop()
        self.assertEqual(asker.refused, [])

    def test_stolen_time_can_be_read(self):
        """The unit hides /proc/stat; standard input is that file."""
        with open(f"/proc/{main_pid()}/fd/0", encoding="ascii") as stat:
            self.assertRegex(stat.readline(), r"^cpu ( \d+){8}")

    def test_hung_supervisor(self):
        """The watchdog finds it (10 s here)."""
        pid, restarts = main_pid(), int(show("NRestarts"))
        os.kill(pid, signal.SIGSTOP)
        until(lambda: main_pid() not in (0, pid), "a new supervisor")
        self.assertEqual(int(show("NRestarts")), restarts + 1)
        until(lambda: get("/healthz")[0] == 200, "it serves")

    def test_reload(self):
        pid = main_pid()
        write_config(CAMERAS.replace("name: yard", "name: attic"))
        run("systemctl", "reload", UNIT)
        until(lambda: {c["name"] for c in status().get("cameras", [])} == {"door", "attic"}, "attic")
        write_config("cameras: [ { name: Yard } ]\n")
        run("systemctl", "reload", UNIT)
        until(lambda: "camhub.yaml:1" in show("StatusText"), lambda: show("StatusText"))
        self.assertEqual(get("/healthz")[0], 200)
        write_config(CAMERAS)
        run("systemctl", "reload", UNIT)
        until(all_up, "both cameras are up")
        self.assertEqual(main_pid(), pid)

    def test_wrong_configuration(self):
        """It stays up, says what is wrong, answers 503, and needs only a reload."""
        write_config(CAMERAS + "  - name: attic\n    url: nonsense\n")
        run("systemctl", "restart", UNIT)
        pid, restarts = main_pid(), show("NRestarts")
        self.assertEqual(show("ActiveState"), "active")
        self.assertIn("camhub.yaml:7", show("StatusText"))
        until(lambda: get("/healthz")[0] == 503, "503")
        self.assertEqual(get("/")[0], 503)
        write_config(CAMERAS)
        run("systemctl", "reload", UNIT)
        until(all_up, "both cameras are up")
        self.assertEqual(get("/healthz")[0], 200)
        self.assertEqual((main_pid(), show("NRestarts")), (pid, restarts))

    def test_stop_leaves_nothing(self):
        viewer = Viewer("127.0.0.1", PORT, "door")
        viewer.wait_more(2)
        before = cgroup_pids()
        self.assertGreaterEqual(len(before), 4)
        started = time.monotonic()
        run("systemctl", "stop", UNIT)
        stopped = time.monotonic() - started
        self.assertEqual(show("Result"), "success")
        self.assertEqual([pid for pid in before if os.path.exists(f"/proc/{pid}")], [])
        self.assertEqual(glob.glob("/run/camhub*") + glob.glob("/run/private/camhub*"), [])
        self.assertEqual(show("ActiveState", "camhub.socket"), "active")
        # The next connection starts it again: the listener was never closed.
        until(lambda: get("/healthz")[0] == 200, "socket activation")
        print(f"stopped in {stopped:.2f} s", flush=True)


class Secured(unittest.TestCase):
    """TLS, users and four cameras, from a certificate made on the spot to the next one."""

    @classmethod
    def setUpClass(cls):
        run("systemd-sysusers", PATHS["sysusers"])
        write_config(CAMERAS)
        run("systemctl", "start", UNIT)  # which makes the directory
        run(PATHS["camctl"], "certificate", "--name", "127.0.0.1", STATE_DIRECTORY)
        write_config(SECURED)
        run("systemctl", "restart", UNIT)
        until(lambda: all_up(4), lambda: f"four cameras are up: {status()}")
        for user in ("ann", "bob"):
            run(PATHS["camctl"], "--runtime-dir", "/run/camhub", "passwd", user, stdin=f"open {user}\n")

    @classmethod
    def tearDownClass(cls):
        write_config(CAMERAS)
        run("systemctl", "stop", UNIT)

    def trust(self):
        """Only the certificate that stands there now."""
        return ssl.create_default_context(cafile=f"{STATE_DIRECTORY}/camhub.crt")

    def login(self, user):
        return "Authorization: Basic " + base64.b64encode(f"{user}:open {user}".encode()).decode()

    def get(self, path, user=None):
        request = urllib.request.Request(f"https://127.0.0.1:{PORT}{path}")
        if user is not None:
            request.add_header(*self.login(user).split(": ", 1))
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.trust()) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def watch(self, camera, user):
        viewer = Viewer("127.0.0.1", PORT, camera, tls=self.trust(), headers=(self.login(user),))
        self.addCleanup(viewer.close)
        viewer.wait_more(3)
        return viewer

    def test_who_may_see_what(self):
        self.assertEqual(self.get("/api/streams"), 401)
        self.assertEqual(self.get("/api/streams", "ann"), 200)
        self.assertEqual(self.get("/api/frame.jpeg?src=door", "ann"), 200)
        self.assertEqual(self.get("/api/frame.jpeg?src=till", "ann"), 403)
        self.assertEqual(self.get("/api/frame.jpeg?src=till", "bob"), 200)

    def test_certificate_is_renewed_under_viewers(self):
        viewers = [self.watch(camera, "bob") for camera in ("door", "cam1", "cam2", "till")]
        old = self.trust()
        run(PATHS["camctl"], "certificate", "--name", "127.0.0.1", STATE_DIRECTORY)
        run("systemctl", "reload", UNIT)

        def is_new():
            try:
                return self.get("/healthz") == 200
            except urllib.error.URLError:
                return False
        until(is_new, "the new certificate is shown")
        with self.assertRaises((ssl.SSLError, EOFError)):
            Viewer("127.0.0.1", PORT, "door", tls=old, headers=(self.login("bob"),))
        for viewer in viewers:
            viewer.wait_more(10)
            self.assertIsNone(viewer.closed)

    def test_restart_refuses_nobody(self):
        asker = Asker(self.get)
        run("systemctl", "restart", UNIT)
        until(lambda: all_up(4), lambda: f"four cameras are up: {status()}")
        asker.stop()
        self.assertEqual(asker.refused, [])
        for camera in ("door", "cam1", "cam2", "till"):
            self.watch(camera, "bob").wait_more(3)  # passwords and keys are still there

    def workers(self):
        return {camera["name"]: camera["pid"] for camera in status()["cameras"]}

    def test_reload_touches_only_what_changed(self):
        before = self.workers()
        viewers = {camera: self.watch(camera, "bob") for camera in ("door", "cam1", "cam2")}
        write_config(SECURED.replace("name: till", "name: safe"))
        run("systemctl", "reload", UNIT)
        until(lambda: "safe" in {c["name"] for c in status()["cameras"] if c["state"] == "up"}, "safe is up")
        write_config(SECURED)
        run("systemctl", "reload", UNIT)
        until(lambda: all_up(4), lambda: f"four cameras are up: {status()}")
        after = self.workers()
        for camera, viewer in viewers.items():
            viewer.wait_more(3)
            self.assertIsNone(viewer.closed)
            self.assertEqual(len(viewer.inits), 1)
            self.assertEqual(after[camera], before[camera])

    def tearDown(self):
        self.assertEqual(status()["supervisor"]["violations"], 0)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    if not result.wasSuccessful():
        print(run("systemctl", "status", "--no-pager", "--full", UNIT, check=False).stdout)
    print("LAB:", "PASS" if result.wasSuccessful() and result.testsRun else "FAIL", flush=True)
