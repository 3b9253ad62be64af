"""A bad network for datagrams: a port that stands in for a server's, and loses, delays, shapes or swallows what goes through.

    with udp_link.UdpLink(hub.rtc_port) as link:
        link.port              # who sends there talks to the server's port
        link.loss = 0.1        # of what goes to the client; the rest is for both ways:
        link.delay_s, link.jitter_s = 0.02, 0.06     # each packet waits that, and up to that more; none overtakes another
        link.rate_bps, link.queue_s = 1e6, 0.3       # to the client: what would wait longer is lost
        link.blocked = True    # nothing gets through
        link.rebind()          # the server sees the clients come from other ports, as behind a router that forgot them
        link.worst_s           # the longest that a packet had to wait for its turn
"""

import heapq
import random
import select
import socket
import threading
import time

DATAGRAM_MAX = 65536
BUFFER_BYTES = 4 << 20


def udp_socket():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


class UdpLink:
    def __init__(self, server_port, seed=1):
        self.loss, self.delay_s, self.jitter_s = 0, 0, 0
        self.rate_bps, self.queue_s = 0, 0.3
        self.blocked = False
        self.worst_s, self.passed, self.lost = 0, 0, 0
        self._server = ("127.0.0.1", server_port)
        self._front = udp_socket()
        self.port = self._front.getsockname()[1]
        self._clients = {}  # address -> the socket by which the server knows it
        self._waiting = []  # (due, number, socket, data, address)
        self._number = 0
        self._free_at = 0
        self._last_due = {True: 0, False: 0}
        self._rebind = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._random = random.Random(seed)
        self._end = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._end:
            return
        self._end = True
        self._wake.send(b"x")
        self._thread.join()
        for one in (self._front, self._wake, self._woken, *self._clients.values()):
            one.close()

    def rebind(self):
        self._rebind.set()
        self._wake.send(b"x")

    def _run(self):
        while not self._end:
            now = time.monotonic()
            wait = max(0, self._waiting[0][0] - now) if self._waiting else 1
            for one in select.select([self._woken, self._front, *self._clients.values()], [], [], wait)[0]:
                self._read(one)
            self._send_due()
            if self._rebind.is_set():
                self._rebind.clear()
                self._forget()

    def _forget(self):
        for address, before in list(self._clients.items()):
            before.close()
            self._clients[address] = udp_socket()

    def _read(self, one):
        if one is self._woken:
            one.recv(64)
            return
        while not one._closed:  # pylint: disable=protected-access
            try:
                data, address = one.recvfrom(DATAGRAM_MAX)
            except OSError:
                return
            if one is self._front:
                self._from_client(data, address)
            else:
                self._from_server(data, next(key for key, value in self._clients.items() if value is one))

    def _from_client(self, data, address):
        if address not in self._clients:
            self._clients[address] = udp_socket()
        self._queue(self._clients[address], data, self._server, time.monotonic(), False)

    def _from_server(self, data, address):
        now = time.monotonic()
        if self.rate_bps:
            begins = max(now, self._free_at)
            if begins - now > self.queue_s:
                self.lost += 1
                return
            self.worst_s = max(self.worst_s, begins - now)
            self._free_at = begins + len(data) * 8 / self.rate_bps
        if self._random.random() < self.loss:
            self.lost += 1
            return
        self._queue(self._front, data, address, max(now, self._free_at) if self.rate_bps else now, True)

    def _queue(self, one, data, address, at, to_client):
        if self.blocked:
            return
        due = max(at + self.delay_s + self.jitter_s * self._random.random(), self._last_due[to_client])
        self._last_due[to_client] = due
        self._number += 1
        heapq.heappush(self._waiting, (due, self._number, one, data, address))

    def _send_due(self):
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, one, data, address = heapq.heappop(self._waiting)
            try:
                one.sendto(data, address)
                self.passed += 1
            except OSError:
                pass  # as a network does
