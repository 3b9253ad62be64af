#!/usr/bin/python3 -B
"""Passwords, links and their keys, with the real programs: set, kept, gone, and seen nowhere."""

import os
import re
import signal
import stat

import rig
from wait import until

WORD = "Tr0ub4dor-und-3-Pferde"
USERS = {"access": {"users": [{"name": "ann", "cameras": ["door"]}, {"name": "bob", "role": "operator"}]}}
CAMERAS = [{"name": "door", "url": "rtsp://127.0.0.1:1/"}]


def memory_has(pid, secret):
    """Whether the bytes stand anywhere in what the process can write to."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" not in line.split()[1] or "[v" in line:
                continue
            try:
                memory.seek(begin)
                if secret in memory.read(end - begin):
                    return True
            except OSError:
                continue
    return False


class Passwd(rig.Case):
    def setUp(self):
        super().setUp()
        self.camhub = self.hub(CAMERAS, extra=USERS)
        self.camhub.child("camhub-auth auth")

    def state(self, name):
        path = self.camhub.path("state", name)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="ascii") as file:
            return file.read()

    def test_set_kept_and_deleted(self):
        hub = self.camhub
        self.assertEqual(hub.camctl("passwd", "ann", stdin=WORD + "\n")[:2], (0, "the password is set\n"))
        self.assertRegex(self.state("passwd"), r"^ann:\$y\$j9T\$[^:\n]+\n$")
        first = self.state("passwd")
        self.assertEqual(hub.camctl("passwd", "ann", stdin=WORD + "\n")[0], 0)
        self.assertNotEqual(self.state("passwd"), first, "each hash has a salt of its own")
        keys = self.state("keys")
        hub.stop()
        hub.start()
        hub.wait_serving()
        self.assertEqual(self.state("keys"), keys)
        self.assertEqual(hub.camctl("passwd", "--delete", "ann")[0], 0)
        self.assertEqual(self.state("passwd"), "")

    def test_refused(self):
        hub = self.camhub
        for name, word in (("zoe", WORD), ("ann", "short"), ("ann", ""), ("ann", "x" * 257), ("ann", "a\tb" + WORD),
                           ("a:b", WORD)):
            code, out, err = hub.camctl("passwd", name, stdin=word + "\n")
            self.assertIn(code, (1, 2), (name, word))
            self.assertEqual(out, "")
            self.assertNotEqual(err, "")
        self.assertFalse(os.path.exists(hub.path("state", "passwd")))

    def test_the_password_is_nowhere(self):
        hub = self.camhub
        pids = [hub.process.pid, *hub.children().values()]
        self.assertEqual(hub.ask("set-log-level", level="debug")[-1]["code"], 0)
        self.assertEqual(hub.camctl("passwd", "ann", stdin=WORD + "\n")[0], 0)
        for pid in () if rig.is_sanitized() else pids:  # sanitizers keep what was freed
            self.assertFalse(memory_has(pid, WORD.encode()), f"in the memory of {hub.children()}, {pid}")
        if not rig.is_sanitized():
            self.assertTrue(memory_has(hub.process.pid, b"ann:") or memory_has(hub.process.pid, b"$y$j9T$"),
                            "what should be found is found")
        self.assertNotIn(WORD, hub.log())
        self.assertNotIn("$y$", hub.log())
        self.assertNotIn(self.state("keys").split()[1], hub.log())

    def test_nothing_is_looked_up_while_passwords_are_held(self):
        """glibc would leave them on the stack, where the test above finds them only now and then."""
        hub = self.camhub
        for pid in (hub.process.pid, *hub.children().values()):
            with open(f"/proc/{pid}/environ", "rb") as file:
                self.assertIn(b"LD_BIND_NOW=1", file.read().split(b"\0"), hub.children())

    def test_links(self):
        hub = self.camhub
        code, out, err = hub.camctl("link", "door", "--hours", "8", "--viewers", "3")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, rf"^http://127\.0\.0\.1:{hub.port}/door\?token=v1\.[\w-]+\.[\w-]{{43}}\n$")
        ident = re.search(r"camctl revoke ([\w-]{22})\n", err).group(1)
        self.assertEqual(hub.camctl("revoke", ident)[0], 0)
        self.assertIn(ident, self.state("revoked"))
        _, out, _ = hub.camctl("link", "door", "--base", "https://cctv.example.net/")
        self.assertTrue(out.startswith("https://cctv.example.net/door?token=v1."), out)
        self.assertEqual(hub.camctl("revoke", "-", stdin=out)[:2], (0, "revoked\n"))
        self.assertEqual(len(self.state("revoked").splitlines()), 2)
        self.assertEqual(hub.camctl("link", "nowhere")[0], 1)
        self.assertEqual(hub.camctl("token", "zoe")[0], 1)
        code, out, _ = hub.camctl("token", "bob", "--camera", "yard*")
        self.assertEqual((code, out[:3]), (0, "v1."))
        keys = self.state("keys")
        self.assertEqual(hub.camctl("revoke", "--all")[0], 0)
        self.assertNotEqual(self.state("keys"), keys)
        self.assertEqual(hub.camctl("revoke", "-", stdin=out)[0], 1, "it holds no longer")

    def test_auth_is_killed_and_comes_back(self):
        hub = self.camhub
        # As delivered; it counts from the next process on.
        hub.extra["restart"]["hang_timeout"] = "2500ms"
        hub.configure(CAMERAS)
        self.assertEqual(hub.reload()[0], 0)
        for sign in (signal.SIGKILL, signal.SIGSTOP):
            old = hub.child("camhub-auth auth")
            os.kill(old, sign)
            until(lambda old=old: hub.children().get("camhub-auth auth") not in (None, old), "another camhub-auth")
            until(lambda: hub.camctl("passwd", "ann", stdin=WORD + "\n")[0] == 0, "it works")

    def test_auth_is_nice(self):
        pid = self.camhub.child("camhub-auth auth")
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            self.assertEqual(int(file.read().rsplit(")", 1)[1].split()[16]), 10)


if __name__ == "__main__":
    rig.main()
