"""Who listens in a container, by the kernel's own table: no program of the image is needed but a shell and cat."""

LISTENING = "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null"
"""Every TCP socket of the network namespace."""

HEX_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F", "0B00007F")


def listening(text: str) -> set[int]:
    """The TCP ports that listen beyond loopback, from /proc/net/tcp and tcp6."""
    found = set()
    for line in text.splitlines():
        words = line.split()
        if len(words) > 3 and words[3] == "0A" and ":" in words[1]:
            address, _, port = words[1].rpartition(":")
            if address not in HEX_LOOPBACK:
                found.add(int(port, 16))
    return found
