"""A small driver for headless Chromium, over the DevTools protocol on a pipe; the standard library only.

    import browser
    reason = browser.missing()             # "" or why there is no browser here
    with browser.Browser() as chromium:
        page = chromium.page(width=1280, height=720)          # mobile=True, scale=2 for a phone
        page.goto("http://127.0.0.1:8080/")                   # returns when the page has loaded
        page.evaluate("document.title")                       # JSON values; promises are awaited
        page.wait_for("document.querySelector('video')?.currentTime > 1", timeout=20)
        page.key("ArrowRight"); page.click(100, 50)
        page.screenshot("/tmp/wall.png")
        page.emulate(390, 844, mobile=True, scale=3)
        page.errors                        # console errors, exceptions, policy violations as text
        page.close()

wait_for() polls until the JavaScript expression is truthy and returns its value; it raises Timeout with what
the page last said. An exception in the page raises PageError. Leaving the `with` block ends the browser and
all of its processes, and removes its profile; so does the death of the process that uses this module, because
Chromium ends when the pipe closes.

One thread at a time may use a Browser and its pages.
"""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from wait import DEADLINE_S, Deadline

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps",
    "--disable-breakpad", "--disable-dev-shm-usage", "--disable-features=Translate,MediaRouter",
    "--no-first-run", "--mute-audio", "--hide-scrollbars", "--password-store=basic",
    "--remote-debugging-pipe",
]
CALL_TIMEOUT = 60
START_TIMEOUT = 120
POLL = 0.05

# Chromium reads commands from descriptor 3 and writes answers to descriptor 4.
LAUNCH = ("import os, sys\n"
          "r, w = int(sys.argv[1]), int(sys.argv[2])\n"
          "r, w = os.dup(r), os.dup(w)\n"
          "while r < 5: r = os.dup(r)\n"
          "while w < 5: w = os.dup(w)\n"
          "os.dup2(r, 3); os.dup2(w, 4)\n"
          "os.execvp(sys.argv[3], sys.argv[3:])\n")

KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "ArrowLeft": (37, ""), "ArrowUp": (38, ""),
        "ArrowRight": (39, ""), "ArrowDown": (40, ""), "Home": (36, ""), "End": (35, "")}


class PageError(Exception):
    """JavaScript in the page threw, or DevTools refused a call."""


class Timeout(Exception):
    """Something did not become true in time."""


def program():
    """The browser's path, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def left_out():
    """Why browsers are not wanted at all; empty when they are."""
    return "left out by CAMHUB_TEST_BROWSERS=no" if os.environ.get("CAMHUB_TEST_BROWSERS") == "no" else ""


def missing():
    """Why no browser can be started: a reason to skip; empty when there is one."""
    if left_out():
        return left_out()
    return "" if program() else "no Chromium here (apt-get install chromium)"


class Browser:
    def __init__(self):
        self._profile = tempfile.mkdtemp(prefix="camhub-chromium-")
        self._pages = {}
        self._answers = {}
        self._partial = b""
        self._next = 0
        self._process = None
        self._log = None
        try:
            self._start()
            self._call("Browser.getVersion", timeout=START_TIMEOUT)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self):
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        self._log = open(os.path.join(self._profile, "log"), "wb")  # pylint: disable=consider-using-with
        env = dict(os.environ, HOME=self._profile, XDG_CONFIG_HOME=self._profile,
                   XDG_CACHE_HOME=self._profile)
        env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", LAUNCH, str(theirs_in), str(theirs_out), program(), *FLAGS,
                 "--user-data-dir=" + self._profile, "about:blank"],
                pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=self._log,
                stderr=self._log, env=env, start_new_session=True)
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def page(self, width=1280, height=720, mobile=False, scale=1):
        """A new tab of that size."""
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, target, session)
        self._pages[session] = page
        for domain in ("Page", "Runtime", "Log"):
            page.call(domain + ".enable")
        page.emulate(width, height, mobile, scale)
        return page

    def close(self):
        """Ends the browser and everything it started."""
        if self._process is not None:
            for end in (self._out, self._in):
                os.close(end)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                pass
            self._kill()
            self._process = None
        if self._log:
            self._log.close()
        # The last helpers may still be writing as they die.
        for _ in range(20):
            shutil.rmtree(self._profile, ignore_errors=True)
            if not os.path.exists(self._profile):
                break
            time.sleep(POLL)

    def processes(self):
        """PIDs of the browser's living processes."""
        mark = ("--user-data-dir=" + self._profile).encode()
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
                with open(f"/proc/{pid}/stat", "rb") as file:
                    stat = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            ours = mark in line or int(stat[3]) == self._process.pid
            if ours and stat[0] not in (b"Z", b"X"):
                found.append(int(pid))
        return found

    def _kill(self):
        for _ in range(40):
            left = self.processes()
            if not left:
                break
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(POLL)
        self._process.wait(timeout=10)

    # The wire: JSON texts, each ended by a zero byte.

    def _call(self, method, params=None, session=None, timeout=CALL_TIMEOUT):
        self._next += 1
        number = self._next
        message = {"id": number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data):]
        deadline = Deadline(timeout)
        while number not in self._answers:
            self._read(deadline, method)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise PageError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def _read(self, deadline, what):
        while not select.select([self._in], [], [], Deadline.SAMPLE_S)[0]:
            if deadline.is_over():
                raise Timeout(f"{what}: no answer from Chromium")
        data = os.read(self._in, 1 << 20)
        if not data:
            raise PageError(f"{what}: Chromium is gone: {self.log()[-500:]}")
        *whole, self._partial = (self._partial + data).split(b"\0")
        for text in whole:
            self._dispatch(json.loads(text))

    def _pump(self):
        while select.select([self._in], [], [], 0)[0]:
            self._read(Deadline(1), "events")

    def _dispatch(self, message):
        if "id" in message:
            self._answers[message["id"]] = message
        else:
            page = self._pages.get(message.get("sessionId"))
            if page:
                page.event(message["method"], message["params"])

    def log(self):
        """What Chromium itself wrote."""
        with open(os.path.join(self._profile, "log"), errors="replace") as file:
            return file.read()


class Page:
    """A tab. Made by Browser.page()."""

    def __init__(self, owner, target, session):
        self._owner = owner
        self._target = target
        self._session = session
        self._errors = []
        self._loads = 0

    @property
    def errors(self):
        """Console errors and warnings, exceptions nobody caught, violations of the page's policy, as text."""
        self._owner._pump()  # pylint: disable=protected-access
        return list(self._errors)

    def clear_errors(self):
        self.errors  # pylint: disable=pointless-statement
        self._errors.clear()

    def call(self, method, params=None, timeout=CALL_TIMEOUT):
        """Any DevTools method."""
        return self._owner._call(method, params, self._session, timeout)  # pylint: disable=protected-access

    def event(self, method, params):
        if method == "Page.loadEventFired":
            self._loads += 1
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            thrown = details.get("exception", {}).get("description", "")
            self._errors.append(f"exception: {details.get('text')} {thrown}")
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            words = [str(arg.get("value", arg.get("description"))) for arg in params["args"]]
            self._errors.append(f"console.{params['type']}: {' '.join(words)}")
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            entry = params["entry"]
            self._errors.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")

    def goto(self, url, timeout=CALL_TIMEOUT):
        """Opens url; returns after the load event."""
        loads = self._loads
        answer = self.call("Page.navigate", {"url": url}, timeout)
        if answer.get("errorText"):
            raise PageError(f"{url}: {answer['errorText']}")
        deadline = Deadline(timeout)
        while answer.get("loaderId") and self._loads == loads:
            self._owner._read(deadline, f"loading {url}")  # pylint: disable=protected-access

    def evaluate(self, expression, timeout=CALL_TIMEOUT):
        """The value of a JavaScript expression; a promise's is awaited."""
        answer = self.call("Runtime.evaluate", {
            "expression": expression, "awaitPromise": True, "returnByValue": True, "userGesture": True}, timeout)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise PageError(f"{details.get('text')} {details.get('exception', {}).get('description', '')}")
        return answer["result"].get("value")

    def wait_for(self, expression, timeout=DEADLINE_S, what=""):
        """Polls until the expression is truthy; returns its value."""
        deadline = Deadline(timeout)
        last = None
        while True:
            try:
                last = self.evaluate(expression)
            except PageError as error:
                last = error  # the page may be between two documents
            if last and not isinstance(last, PageError):
                return last
            if deadline.is_over():
                raise Timeout(f"{what or expression}: still {last!r} after {timeout} s; errors: {self.errors[-5:]}")
            time.sleep(POLL)

    def key(self, name):
        """Presses and lets go a key: a character or a name as in KeyboardEvent.key."""
        code, text = KEYS.get(name, (ord(name.upper()[0]), name))
        common = {"key": name, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", dict(common, type="keyDown", **({"text": text} if text else {})))
        self.call("Input.dispatchKeyEvent", dict(common, type="keyUp"))

    def click(self, x, y):
        """A click of the left button at a point of the page's window."""
        where = {"x": x, "y": y, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", dict(where, type=kind))

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    def emulate(self, width, height, mobile=False, scale=1):
        """The size of the window, as CSS pixels; mobile: a phone's way to lay out pages, and touch."""
        self.call("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile})
        self.call("Emulation.setTouchEmulationEnabled", {"enabled": mobile})

    def screenshot(self, path=None):
        """The page as PNG: bytes, and into a file if a path is given."""
        data = base64.b64decode(self.call("Page.captureScreenshot", {"format": "png"})["data"])
        if path:
            with open(path, "wb") as file:
                file.write(data)
        return data

    def close(self):
        owner = self._owner
        owner._pages.pop(self._session, None)  # pylint: disable=protected-access
        owner._call("Target.closeTarget", {"targetId": self._target})  # pylint: disable=protected-access
