"""Redis answers from where the service stands, with the service's own URL."""

from uuid import uuid4

import pytest

from fixtures.process import Process
from fixtures.witnesses import OWN_KEYS, Queue
from suites.wording import exchange


@pytest.mark.verifies("redis")
def test_the_services_own_url_writes_and_reads(inside: Process) -> None:
    """The service's own REDIS_URL pushes a message and pops it, from the service's own place in the network."""
    reply = inside.call("queue_round_trip")

    assert reply.error is None, exchange(
        "push a message to a side list and pop it, by REDIS_URL",
        "Redis, from inside the API's container",
        expected="the message that was pushed",
        got=str(reply.error),
        do="compare REDIS_URL of the API with the password, name and port of Redis, and look at what Redis says of its memory",
    )
    assert reply.result["read"] == reply.result["wrote"], exchange(
        f"pop {reply.result['list']}",
        "Redis, from inside the API's container",
        expected=reply.result["wrote"],
        got=reply.result["read"],
        do="look at what answers under the host name of REDIS_URL",
    )


@pytest.mark.verifies("redis")
def test_redis_takes_writes(queue: Queue) -> None:
    """Redis takes a write and gives it back: it is a primary, with memory left and a disk that it can write to."""
    key, value = f"{OWN_KEYS}{uuid4().hex}", uuid4().hex
    wrote = queue.command("SET", key, value, "EX", "60")
    read = queue.command("GET", key)
    queue.command("DEL", key)

    assert wrote.error is None, exchange(
        f"SET {key}",
        "Redis",
        expected="OK",
        got=str(wrote.error),
        do="READONLY: it is a replica; OOM: raise maxmemory; MISCONF: mend its data folder; NOAUTH or WRONGPASS: the password",
    )
    assert read.value == value, exchange(
        f"GET {key}",
        "Redis",
        expected=value,
        got=read.value if read.error is None else str(read.error),
        do="look at its eviction policy and at who else writes to it",
    )
