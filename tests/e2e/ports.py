"""Ports for servers that must come back on the same one."""

import random
import socket


def free_port():
    """Below the range that the kernel gives to outgoing connections: nobody takes it by accident."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
