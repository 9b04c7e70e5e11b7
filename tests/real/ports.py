"""Ports on loopback for servers that cannot be told to take any free one."""

import random
import socket

# Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that no
# connection of a test can take a port between the moment it is chosen and the moment a server binds it.
_LOWEST, _HIGHEST = 12_000, 31_999


def free_ports(count: int) -> list[int]:
    """`count` different TCP ports that nobody listens on, on 127.0.0.1."""
    chance = random.SystemRandom()
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", chance.randint(_LOWEST, _HIGHEST)))
            except OSError:
                candidate.close()
            else:
                held.append(candidate)
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def answers(port: int) -> bool:
    """Whether somebody accepts connections on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
