"""A program of camhub alone, on a control channel whose other end is ours: this process is its supervisor."""

import json
import os
import select
import signal
import socket
import threading

import rig
from wait import DEADLINE_S, Deadline, until


class Child:
    """
    folder: where the program was built; name: its only argument. Its messages are collected by a thread, which also hands
    each to heard(). stop() ends it.
    """

    def __init__(self, program, folder, name):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_inheritable(theirs.fileno(), True)
        self.channel, self.messages, self.exit_code = ours, [], None
        actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), 3)] if theirs.fileno() != 3 else []
        self.pid = os.posix_spawn(rig.program(program, folder), [program, name], os.environ, file_actions=actions)
        theirs.close()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def heard(self, message):
        """In the thread that reads."""

    def send(self, message, descriptors=(), /, **fields):
        socket.send_fds(self.channel, [json.dumps({"type": message, **fields}).encode()], descriptors)

    def _read(self):
        while True:
            try:
                data = self.channel.recv(65536)
            except OSError:
                return
            if not data:
                return
            message = json.loads(data)
            self.messages.append(message)
            self.heard(message)

    def last(self, kind):
        """The newest message of that kind, {} while there is none."""
        return next((m for m in reversed(list(self.messages)) if m["type"] == kind), {})

    def wait_message(self, kind, **fields):
        return until(lambda: next((m for m in list(self.messages) if m["type"] == kind and
                                   all(m.get(key) == value for key, value in fields.items())), None),
                     lambda: f"{kind} {fields}: {self.messages[-5:]}")

    def leave(self):
        """The end of the channel means: leave now. Sets exit_code."""
        self.channel.shutdown(socket.SHUT_RDWR)
        deadline = Deadline(DEADLINE_S)
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if deadline.is_over():
                os.kill(self.pid, signal.SIGKILL)
            select.select([], [], [], 0.02)
        self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.channel.close()
