"""
The real camhub in a test: a supervisor with its own configuration, runtime directory, credentials
and port, out of the build tree or (CAMHUB_PREFIX) out of an installed one. When it is stopped,
no process, socket or file of it may be left, or the test fails.
"""

import atexit
import contextlib
import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from camera import RtspCamera
from ports import free_port
from viewer import Viewer
from wait import DEADLINE_S, PATIENCE_S, until

SKIP = 77
PR_SET_CHILD_SUBREAPER = 36
PROGRAMS = {
    "camhub-worker": "worker", "camhub-worker-av": "worker", "camhub-http": "http", "camhub-rtc": "rtc", "camhub-transcode": "transcode",
    "camhub-resolve": "supervisor", "camhub-auth": "auth", "camhub-event": "event", "camhub-certificate": "http",
}


# Last words in the log.
CRASHES = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "Assertion",
           "exit 127")
# What the supervisor says of who died by its sandbox, and what that process itself said, which is all there is of one that the
# supervisor had given up already.
VIOLATIONS = ("SIGSYS", "its sandbox forbids", "sandbox: the system call ")

# What a machine that compiles beside the tests, or that its host gives to others, needs so that it is not taken for a
# fault. Tests of what finds faults state their own.
PATIENT = {"limits": {"snapshot_timeout": "20s"}, "restart": {"hang_timeout": "60s", "start_timeout": "60s"}}
PATIENT_CAMERA = {"open_timeout": "60s", "stall_timeout": "60s"}


def build_dir():
    """make check runs in BUILD/tests; by hand CAMHUB_BUILD_DIR says where."""
    for path in (os.environ.get("CAMHUB_BUILD_DIR"), "..", "."):
        if path and os.path.exists(os.path.join(path, "config.status")):
            return os.path.abspath(path)
    raise SystemExit("no build tree here: set CAMHUB_BUILD_DIR or CAMHUB_PREFIX")


def is_sanitized():
    """Whether the programs were built with sanitizers, which keep what was freed, reserve terabytes and want to be first."""
    if os.environ.get("CAMHUB_PREFIX"):
        return False
    with open(os.path.join(build_dir(), "config.log"), encoding="utf-8", errors="replace") as log:
        return "-fsanitize" in log.read()


def source_dir():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def program(name, folder):
    prefix = os.environ.get("CAMHUB_PREFIX")
    if prefix:
        where = {"camhub-supervisor": "sbin", "camctl": "bin"}.get(name, "libexec/camhub")
        return os.path.join(prefix, where, name)
    return os.path.join(build_dir(), folder, name)


def rtsp_camera(**options):
    path = os.path.join(build_dir(), "tests", "e2e", "rtsp_camera")
    if not os.path.exists(path):
        raise unittest.SkipTest("gst-rtsp-server is not installed, so rtsp_camera was not built")
    return RtspCamera(path, **options)


def need(*tools):
    """Skip the test, aloud, when a program it runs is missing."""
    for tool in tools:
        if shutil.which(tool) is None:
            raise unittest.SkipTest(f"{tool} is not installed")


def leave_out(reason):
    """Skip this test aloud, and it alone: what it takes is not in Debian, and the rest of its file counts without."""
    left_out.add(reason)
    raise unittest.SkipTest(reason)


def processes():
    """{pid: (ppid, state, argv)} of all processes."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
                rest = stat.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                argv = cmdline.read().decode("latin-1").split("\0")[:-1]
            found[int(pid)] = (int(rest[1]), rest[0], argv)
        except (OSError, IndexError):
            continue
    return found


def descendants(root):
    """{pid: argv} of what runs (zombies are not counted) below root."""
    table, found, front = processes(), {}, [root]
    while front:
        parent = front.pop()
        for pid, (ppid, state, argv) in table.items():
            if ppid == parent and pid not in found:
                front.append(pid)
                if state != "Z":
                    found[pid] = argv
    return found


def fds(pid):
    """What a process has open, by kind: {"socket": 5, ...}."""
    kinds = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            kind = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        kind = kind if kind.startswith(("/dev", "anon_inode")) else kind.split(":")[0]
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def to_yaml(value, indent=0):
    """Enough YAML for the tests: JSON is YAML, except that the lists of cameras read better as blocks."""
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += [" " * indent + f"{key}:", to_yaml(item, indent + 2)]
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            lines.append(" " * indent + f"{key}:")
            for entry in item:
                body = to_yaml(entry, indent + 4)
                lines.append(" " * (indent + 2) + "- " + body[indent + 4:])
        else:
            lines.append(" " * indent + f"{key}: {json.dumps(item)}")
    return "\n".join(lines)


class Camhub:
    """
    cameras: [{"name": "door", "url": ..., ...}]; credentials: {"door": ("user", "password")};
    extra: more top-level keys of the file. patient: as PATIENT has it, and not as delivered. Started at once; stop()
    checks what is left.
    """

    def __init__(self, cameras, credentials=None, extra=None, environ=None, patient=False):
        self.directory = tempfile.mkdtemp(prefix="camhub-e2e-")
        self.runtime = self.path("run")
        self.temporary = self.path("tmp")
        self.libexec = self.path("libexec")
        for directory in (self.runtime, self.temporary, self.libexec):
            os.mkdir(directory, 0o700)
        self.port, self.rtc_port = free_port(), free_port()
        self.host = "127.0.0.1"
        self.patient = PATIENT_CAMERA if patient else {}
        self.extra = {section: dict(keys) for section, keys in PATIENT.items()} if patient else {}
        for section, keys in (extra or {}).items():
            self.extra.setdefault(section, {}).update(keys)
        self.environ = environ or {}
        self.may_violate = False  # where a forbidden system call is what is tested
        self.process = None
        self.configure(cameras, credentials)
        self._link_programs()
        self.start()

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def _link_programs(self):
        for name, folder in PROGRAMS.items():
            if os.path.exists(program(name, folder)):
                os.symlink(program(name, folder), os.path.join(self.libexec, name))

    def configure(self, cameras, credentials=None):
        """Write the configuration; reload() makes it count."""
        config = {"http": {"listen": [f"{self.host}:{self.port}"]}, "rtc": {"port": self.rtc_port}}
        for key, value in self.extra.items():
            config.setdefault(key, {}).update(value)
        config["cameras"] = [{**self.patient, **({"ingest": ingest} if ingest and camera["url"].startswith("rtsp") else {}),
                              **camera} for camera in cameras]
        self.write("camhub.yaml", to_yaml(config) + "\n")
        if credentials is not None:
            lines = [f"{name}:{user}:{word}\n" for name, (user, word) in credentials.items()]
            self.write("cameras.cred", "".join(lines))

    def write(self, name, text):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def command(self):
        args = [program("camhub-supervisor", "supervisor"), "--config", self.path("camhub.yaml"),
                "--runtime-dir", self.runtime, "--state-dir", self.path("state")]
        if not os.environ.get("CAMHUB_PREFIX"):
            args += ["--libexec-dir", self.libexec, "--web-dir", os.path.join(source_dir(), "web")]
        if os.path.exists(self.path("cameras.cred")):
            args += ["--credentials", self.path("cameras.cred")]
        return args

    def environment(self):
        environ = {"PATH": os.environ["PATH"], "TMPDIR": self.temporary, **self.environ}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                environ[name] = os.environ[name]
        return environ

    def start(self):
        with open(self.path("log"), "ab") as log:
            self.launch(self.command(), self.environment(), log)

    def launch(self, args, environ, log, keep=()):
        """keep: descriptors that go along."""
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env=environ, cwd=self.directory, pass_fds=keep)

    # --- talking to it -----------------------------------------------------------------------

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def url(self, path):
        return f"http://{self.host}:{self.port}{path}"

    def get(self, path, method="GET", timeout_s=PATIENCE_S, headers=None):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get_json(self, path):
        status, _, body = self.get(path)
        assert status == 200, f"{path}: {status} {body!r}"
        return json.loads(body)

    def viewer(self, src, mode="mse", **options):
        return Viewer(self.host, self.port, src, mode, **options)

    def camctl(self, *words, timeout_s=PATIENCE_S, stdin=None):
        """(exit code, stdout, stderr)"""
        done = subprocess.run([program("camctl", "ctl"), "--runtime-dir", self.runtime, *words],
                              capture_output=True, text=True, timeout=timeout_s, check=False, input=stdin)
        return done.returncode, done.stdout, done.stderr

    def status(self):
        """(exit code, what status --json says)"""
        code, out, err = self.camctl("status", "--json")
        return code, json.loads(out) if out.strip() else {"error": err}

    def ask(self, kind, **fields):
        """One request on the control socket, as docs/protocol.md has it: the messages of the answer."""
        answer = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
            channel.settimeout(PATIENCE_S)
            channel.connect(os.path.join(self.runtime, "ctl.sock"))
            channel.send(json.dumps({"type": kind, **fields}).encode())
            while not answer or answer[-1]["type"] != "done":
                data = channel.recv(1 << 16)
                assert data, f"the supervisor closed the channel after {answer}"
                answer.append(json.loads(data))
        return answer

    def camera(self, name):
        """That stream's part of the status, {} while there is none. Without a camctl: for polling."""
        for message in self.ask("status"):
            if message["type"] == "camera" and message["name"] == name:
                return message
        return {}

    def wait_state(self, name, state, deadline_s=DEADLINE_S, **more):
        """Until status says so; more: other fields that must have these values."""
        want = {"state": state, **more}
        last = {}

        def there():
            last.clear()
            last.update(self.camera(name))
            return all(last.get(key) == value for key, value in want.items())

        until(there, lambda: f"{name}: {want}, but {last}", deadline_s, 0.1)
        return dict(last)

    def children(self):
        """{"camhub-worker door": pid}"""
        return {" ".join([os.path.basename(argv[0])] + argv[1:]): pid
                for pid, argv in descendants(self.process.pid).items() if argv}

    def child(self, words):
        """The pid of a child by its command line, once it is there."""
        return until(lambda: self.children().get(words), lambda: f"a process {words}: {self.children()}")

    def wait_serving(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"the supervisor ended with {self.process.returncode}")
            try:
                return self.get("/healthz", timeout_s=5)[0] == 200
            except OSError:
                return False

        until(answers, "/healthz says 200")

    def reload(self):
        return self.camctl("reload")

    # --- the end -----------------------------------------------------------------------------

    def stop(self):
        """SIGTERM; exit 0 and nothing left."""
        if self.process is None:
            return
        process, self.process = self.process, None
        try:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
            code = process.wait(PATIENCE_S)
            assert code == 0, f"the supervisor left with {code} after SIGTERM"
            self.check_nothing_left()
            self.check_no_crash()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def check_nothing_left(self):
        until(lambda: not orphans(), lambda: f"processes left: {orphans()}", 5)
        for directory in (self.runtime, self.temporary):
            if os.path.isdir(directory):
                left = [os.path.join(at, name) for at, _, names in os.walk(directory) for name in names]
                assert not left, f"files left: {left}"
        with socket.socket() as probe:
            assert probe.connect_ex((self.host, self.port)) != 0, "the port is still open"

    def check_no_crash(self):
        """A crashed child is started again, and nobody might notice: its last words are in the log."""
        log = self.log()
        for sign in CRASHES + (() if self.may_violate else VIOLATIONS):
            assert sign not in log, f"{sign} in the log"

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def orphans():
    """Processes of a dead supervisor: as subreaper this process is their parent now. Reaps them. Supervisors and whatever
    else was started here belong to those who started them, and wait for their exit codes."""
    left = {}
    for pid, (ppid, state, argv) in processes().items():
        if ppid != os.getpid() or pid in known_children():
            continue
        try:
            with open(f"/proc/{pid}/comm", encoding="latin-1") as comm:
                name = comm.read()
        except OSError:
            continue
        if not name.startswith("camhub-") or name.startswith("camhub-superv"):
            continue
        if state == "Z":
            with contextlib.suppress(ChildProcessError):  # another thread was sooner
                os.waitpid(pid, os.WNOHANG)
        else:
            left[pid] = argv
    return left


def known_children():
    return {hub.process.pid for hub in hubs if hub.process is not None}


hubs = []
left_out = set()  # reasons of leave_out()
ingest = None  # "av": every RTSP camera is read through libavformat


class Case(unittest.TestCase):
    """
    A test with cameras and hubs that go away whatever happens. The same three with `shared_` belong
    to the whole class: for setUpClass.
    """

    def rtsp(self, **options):
        return add_camera(self.addCleanup, **options)

    def hub(self, cameras, **options):
        return add_hub(self.addCleanup, cameras, **options)

    def viewer(self, hub, src, mode="mse", **options):
        viewer = hub.viewer(src, mode, **options)
        self.addCleanup(viewer.close)
        return viewer

    @classmethod
    def shared_rtsp(cls, **options):
        return add_camera(cls.addClassCleanup, **options)

    @classmethod
    def shared_hub(cls, cameras, **options):
        return add_hub(cls.addClassCleanup, cameras, **options)


def add_camera(add_cleanup, **options):
    camera = rtsp_camera(**options)
    add_cleanup(camera.stop)
    return camera


@contextlib.contextmanager
def running_hub(cameras, **options):
    """For a bench: camhub as delivered, all of its cameras up; its log is shown when something goes wrong."""
    hub = Camhub(cameras, **options)
    try:
        hub.wait_serving()
        until(lambda: all(m["state"] == "up" for m in hub.ask("status") if m["type"] == "camera"), "all cameras are up")
        yield hub
        hub.stop()
    finally:
        if hub.process is not None:
            hub.process.kill()
            show_log(hub)
        hub.remove()


def add_hub(add_cleanup, cameras, patient=True, **options):
    hub = Camhub(cameras, patient=patient, **options)
    hubs.append(hub)
    add_cleanup(finish_hub, hub)
    hub.wait_serving()
    return hub


def finish_hub(hub):
    try:
        hub.stop()
    except AssertionError:
        show_log(hub)
        raise
    finally:
        hubs.remove(hub)
        hub.remove()


def show_log(hub):
    print(f"--- log of {hub.directory}", file=sys.stderr)
    print("\n".join(hub.log().splitlines()[-120:]), file=sys.stderr)
    show_figures(hub)
    print("---", file=sys.stderr, flush=True)


def show_figures(hub):
    """What the processes themselves say, where they still answer."""
    try:
        for message in hub.ask("status"):
            print(json.dumps(message), file=sys.stderr)
        metrics = hub.get("/metrics", timeout_s=2)[2].decode()
        print("\n".join(line for line in metrics.splitlines() if not line.startswith("#")), file=sys.stderr)
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"no figures: {error}", file=sys.stderr)


class Result(unittest.TextTestResult):
    def _show(self):
        for hub in hubs:
            show_log(hub)
        print(f"load: {os.getloadavg()}", file=sys.stderr)

    def addError(self, test, err):
        self._show()
        super().addError(test, err)

    def addFailure(self, test, err):
        self._show()
        super().addFailure(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"SKIP: {reason}", flush=True)


def main():
    """Run the calling script's tests; exit 77 when one was skipped: a skip is to be seen. (Not for what was left out.)"""
    # What a killed supervisor leaves behind becomes our child, so that it can be found.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    atexit.register(lambda: [hub.process.kill() for hub in hubs if hub.process])
    started = time.monotonic()
    run = unittest.main(exit=False, verbosity=2,
                        testRunner=unittest.TextTestRunner(resultclass=Result, verbosity=2))
    print(f"{time.monotonic() - started:.1f} s", flush=True)
    result = run.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIP if any(reason not in left_out for _, reason in result.skipped) else 0)
