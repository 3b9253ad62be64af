"""
A service manager as small as the faults need: it keeps the listener, hands it over as systemd does (LISTEN_FDS), is told
READY and WATCHDOG (NOTIFY_SOCKET), kills a supervisor that has fallen silent, and starts the next one.
"""

import asyncio
import os
import socket
import subprocess
import tempfile
import time

RESTART_S = 0.2  # RestartSec= of the unit


class Manager:
    """watchdog_s: as WatchdogSec=, 0 without. starts: when (CLOCK_MONOTONIC) each supervisor was started."""

    def __init__(self, watchdog_s=0):
        self.directory = tempfile.mkdtemp(prefix="camhub-manager-")
        self.watchdog_s, self.house, self.task = watchdog_s, None, None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.notify.bind(os.path.join(self.directory, "notify"))
        self.starts, self.ends, self.readies, self.barks = [], [], [], []
        self.last_sign, self.retired = None, False

    def dress(self, args, environ):
        """(arguments, descriptors to keep) of a supervisor that is started with our listener as descriptor 3."""
        environ["NOTIFY_SOCKET"] = os.path.join(self.directory, "notify")
        environ["LISTEN_FDS"] = "1"
        if self.watchdog_s:
            environ["WATCHDOG_USEC"] = str(int(self.watchdog_s * 1e6))
        fd = self.listener.fileno()
        # Close-on-exec is not wanted of 3, and LISTEN_PID has to be the number of the supervisor itself.
        script = 'fd=$1; shift; if [ "$fd" != 3 ]; then exec 3<&"$fd" {fd}<&-; fi; LISTEN_PID=$$ exec "$@"'
        self.starts.append(time.monotonic())
        self.last_sign = None
        return ["/bin/bash", "-c", script, "bash", str(fd), *args], (fd,)

    def watch(self, house):
        self.house = house
        loop = asyncio.get_running_loop()
        loop.add_reader(self.notify, self._on_notify)
        self.task = asyncio.create_task(self._keep())

    def _on_notify(self):
        try:
            text = self.notify.recv(4096).decode()
        except BlockingIOError:
            return
        lines = text.split("\n")
        if "READY=1" in lines:
            self.readies.append(time.monotonic())
        if "READY=1" in lines or "WATCHDOG=1" in lines:
            self.last_sign = time.monotonic()

    async def _keep(self):
        while not self.retired:
            await asyncio.sleep(0.01)
            process = self.house.process
            if process is None:
                return
            if process.poll() is not None:
                self.ends.append(time.monotonic())
                await asyncio.sleep(RESTART_S)
                if not self.retired:
                    self.house.start()
            elif self.watchdog_s and self.last_sign and time.monotonic() - self.last_sign > self.watchdog_s:
                self.barks.append(time.monotonic())
                self.last_sign = None
                process.kill()

    def retire(self):
        """The service is being stopped: whoever ends now is not started again, and the listener goes too."""
        self.retired = True
        self.listener.close()

    def close(self):
        self.retire()
        if self.task is not None:
            asyncio.get_running_loop().remove_reader(self.notify)
            self.task.cancel()
        self.notify.close()
        subprocess.run(["rm", "-rf", self.directory], check=False)
