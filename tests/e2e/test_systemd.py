#!/usr/bin/python3 -B
"""
The installed units under a real systemd: make install into a directory, laid over / in the private
lab of tests/systemd/, where drive.py tries what can happen to a service.
"""

import glob
import json
import os
import pty
import re
import shutil
import subprocess
import tempfile
import unittest

import rig

LAB_SECONDS = 1200
NEEDED = ("unshare", "ip", "timeout", "systemd-sysusers", "systemctl")


def refused():
    """Why the lab cannot be built here, or None."""
    if os.geteuid() != 0:
        return "not root: a private systemd needs namespaces and mounts"
    if not os.path.exists("/lib/systemd/systemd"):
        return "systemd is not installed"
    for tool in NEEDED:
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    probe = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--net", "sh", "-c",
         "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return f"unshare is refused: {probe.stderr.strip()}"
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        if " - cgroup2 " not in mounts.read():
            return "no cgroup2 hierarchy is mounted"
    return None


def installed(root, name):
    found = [path for path in glob.glob(f"{root}/**/{name}", recursive=True)
             if "/lab/" not in path and os.path.isfile(path)]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


class Systemd(unittest.TestCase):
    def setUp(self):
        why = refused()
        if why:
            self.skipTest(why)
        self.root = tempfile.mkdtemp(prefix="camhub-lab-")
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)

    def install(self):
        """make install DESTDIR=root, and in root/lab what the lab needs."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith("MAKE") and key != "MFLAGS"}
        done = subprocess.run(["make", "-s", "-C", rig.build_dir(), "install", f"DESTDIR={self.root}"],
                              env=environ, capture_output=True, text=True, timeout=rig.PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        service = installed(self.root, "camhub.service")
        supervisor = installed(self.root, "camhub-supervisor")[len(self.root):]
        if not supervisor.startswith("/usr/"):
            self.skipTest(f"{supervisor}: the lab shows programs below /usr only; configure --prefix=/usr/local")
        lab = os.path.join(self.root, "lab")
        here = os.path.join(rig.source_dir(), "tests")
        shutil.copytree(os.path.join(here, "systemd", "units"), os.path.join(lab, "units"))
        shutil.copytree(os.path.join(here, "e2e"), os.path.join(lab, "e2e"))
        shutil.copy(os.path.join(here, "systemd", "drive.py"), os.path.join(lab, "drive"))
        for unit in (service, installed(self.root, "camhub.socket")):
            shutil.copy(unit, os.path.join(lab, "units"))
        paths = {"camctl": installed(self.root, "bin/camctl")[len(self.root):],
                 "config": installed(self.root, "camhub.yaml")[len(self.root):],
                 "sysusers": installed(self.root, "camhub.conf")[len(self.root):],
                 "sanitized": rig.is_sanitized()}
        with open(os.path.join(lab, "paths.json"), "w", encoding="utf-8") as file:
            json.dump(paths, file)
        for path in glob.glob(f"{lab}/**", recursive=True):
            os.chmod(path, 0o755 if os.path.isdir(path) or path.endswith("/drive") else 0o644)

    def run_lab(self):
        """(pid, exit code, all that was printed) of the lab, whose console is a pty."""
        master, slave = pty.openpty()
        lab = subprocess.Popen(
            [os.path.join(rig.source_dir(), "tests", "systemd", "lab.sh"), self.root, str(LAB_SECONDS)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        said = b""
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            said += data
        os.close(master)
        return lab.pid, lab.wait(60), said.decode(errors="replace").replace("\r\n", "\n")

    def test_lab(self):
        self.install()
        pid, code, said = self.run_lab()
        print(said[-20000:], flush=True)
        self.assertTrue("LAB: PASS" in said, "see above what the lab said")
        denied = re.findall("(?i).*(?:permission denied|operation not permitted|SIGSYS).*", said)
        self.assertEqual(denied, [], "nothing that it needs is denied")
        self.assertEqual(code, 0)
        self.assertEqual(glob.glob(f"/sys/fs/cgroup/**/camhub-lab-{pid}", recursive=True), [])


if __name__ == "__main__":
    rig.main()
