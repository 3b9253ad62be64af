"""A small driver for headless Firefox, over WebDriver BiDi (W3C); the standard library only.

    import firefox
    reason = firefox.missing()             # "" or why there is no Firefox here
    with firefox.Browser() as fox:
        page = fox.page(width=1280, height=720)
        page.goto("http://127.0.0.1:8080/")
        page.evaluate("document.title")    # JSON values; promises are awaited
        page.wait_for("document.querySelector('video')?.currentTime > 1", timeout=20)
        page.screenshot("/tmp/wall.png")
        page.errors                        # console errors and exceptions as text

The same words as browser.py where both have them. Leaving the `with` block ends Firefox and all of its processes,
and removes its profile; so does the death of the process that uses this module. One thread at a time.
"""

import base64
import ctypes
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import browser
from wait import DEADLINE_S, Deadline
from websocket import WebSocket

START_TIMEOUT = 90
CALL_TIMEOUT = 90
POLL = 0.1
PR_SET_PDEATHSIG = 1

# What would make a new profile talk to the network or ask a person something.
PREFERENCES = {
    "app.normandy.enabled": False, "app.update.enabled": False, "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False, "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False, "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank", "browser.topsites.contile.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False, "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False, "media.gmp-manager.updateEnabled": False,
    "media.gmp-provider.enabled": False, "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "services.settings.server": "data:,", "media.volume_scale": "0",
    "toolkit.telemetry.enabled": False, "toolkit.telemetry.server": "data:,",
}


class PageError(Exception):
    """JavaScript in the page threw, or Firefox refused a command."""


class Timeout(Exception):
    """Something did not become true in time."""


def program():
    """The browser's path, or None."""
    return os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")


def missing():
    """Why no Firefox can be started: a reason to skip; empty when there is one."""
    if browser.left_out():
        return browser.left_out()
    return "" if program() else "no Firefox here (apt-get install firefox-esr)"


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Browser:
    def __init__(self):
        self._profile = tempfile.mkdtemp(prefix="camhub-firefox-")
        self._process = None
        self._socket = None
        self._next = 0
        self._pages = {}
        try:
            self._start()
            self.call("session.new", {"capabilities": {}})
            self.call("session.subscribe", {"events": ["log.entryAdded"]})
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self):
        with open(os.path.join(self._profile, "user.js"), "w", encoding="utf-8") as prefs:
            for name, value in PREFERENCES.items():
                prefs.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
        env = dict(os.environ, HOME=self._profile, MOZ_HEADLESS="1", MOZ_CRASHREPORTER_DISABLE="1",
                   MOZ_DISABLE_CONTENT_SANDBOX="1", XDG_CACHE_HOME=self._profile, XDG_CONFIG_HOME=self._profile)
        env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        self._process = subprocess.Popen(
            [program(), "--headless", "--no-remote", "--profile", self._profile, "--remote-debugging-port=0",
             "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env,
            start_new_session=True, preexec_fn=die_with_parent)
        port = self._port()
        self._socket = WebSocket("127.0.0.1", port, "/session", timeout_s=CALL_TIMEOUT)

    def _port(self):
        """Firefox says on stderr where it listens; what else it says there is of no use."""
        said, deadline = b"", Deadline(START_TIMEOUT)
        while not deadline.is_over():
            if select.select([self._process.stderr], [], [], 1)[0]:
                data = os.read(self._process.stderr.fileno(), 65536)
                if not data:
                    break
                said += data
                found = re.search(rb"WebDriver BiDi listening on ws://[^:]+:(\d+)", said)
                if found:
                    self._drain()
                    return int(found[1])
        raise Timeout(f"Firefox does not start: {said[-2000:].decode(errors='replace')}")

    def _drain(self):
        """A full pipe must not stop it."""
        null = os.open(os.devnull, os.O_WRONLY)
        subprocess.Popen(["cat"], stdin=self._process.stderr, stdout=null, stderr=null, start_new_session=True,
                         preexec_fn=die_with_parent)
        os.close(null)
        self._process.stderr.close()

    def call(self, method, params):
        """One command; its result."""
        self._next += 1
        self._socket.send_text(json.dumps({"id": self._next, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv()[1])
            if answer.get("method") == "log.entryAdded":
                self._note(answer["params"])
            if answer.get("id") != self._next:
                continue
            if answer["type"] == "error":
                raise PageError(f"{method}: {answer['error']}: {answer['message']}")
            return answer["result"]

    def _note(self, entry):
        page = self._pages.get(entry["source"].get("context"))
        if page is not None and entry["level"] == "error":
            page.errors.append(entry["text"])

    def page(self, width=1280, height=720):
        """A new tab of that size."""
        context = self.call("browsingContext.create", {"type": "tab"})["context"]
        self.call("browsingContext.setViewport",
                  {"context": context, "viewport": {"width": width, "height": height}})
        self._pages[context] = Page(self, context)
        return self._pages[context]

    def close(self):
        """Ends Firefox and everything it started."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


class Page:
    def __init__(self, fox, context):
        self._fox = fox
        self._context = context
        self.errors = []

    def goto(self, url):
        """Returns when the page has loaded."""
        self._fox.call("browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"})

    def evaluate(self, expression):
        """The expression's value, by way of JSON; a promise's when it is kept."""
        code = f"(async () => JSON.stringify(await ({expression})))()"
        result = self._fox.call("script.evaluate", {
            "expression": code, "target": {"context": self._context}, "awaitPromise": True,
            "userActivation": True})
        if result["type"] == "exception":
            raise PageError(result["exceptionDetails"]["text"])
        return json.loads(result["result"].get("value") or "null")

    def wait_for(self, expression, timeout=DEADLINE_S):
        """Until the expression is truthy; its value."""
        deadline = Deadline(timeout)
        while True:
            value = self.evaluate(expression)
            if value:
                return value
            if deadline.is_over():
                raise Timeout(f"not within {timeout} s: {expression}; last {value!r}")
            time.sleep(POLL)

    def screenshot(self, path):
        shot = self._fox.call("browsingContext.captureScreenshot", {"context": self._context})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def close(self):
        self._fox.call("browsingContext.close", {"context": self._context})
