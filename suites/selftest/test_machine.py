"""What measured numbers say about a start: too little is told, and enough is silent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.machine import (
    GB,
    Listener,
    Machine,
    Published,
    clock,
    disk,
    engine,
    findings,
    holder,
    limits_of,
    looked_at,
    memory,
    ports,
    published,
    size_of,
    told_time,
    version_of,
)
from reports.preflight import ERROR, WARNING

DAY = 1_700_000_000.0
ENOUGH = Machine(
    engine="26.1.5+dfsg1",
    compose="2.26.1-4",
    root="/var/lib/docker",
    free=20 * GB,
    available=4 * GB,
    total=8 * GB,
    machine_clock=DAY,
    engine_clock=DAY + 1,
    asked_for=0.2,
    dated={"the last commit": DAY - 100, "the newest file": DAY - 50},
)


def seen(**different: Any) -> Machine:
    """A machine that has enough of everything, but for this."""
    return Machine(**{**ENOUGH.as_json(), **different})


def test_a_machine_with_enough_is_silent() -> None:
    """No finding; and what that rests on is told."""
    assert findings(ENOUGH, {}) == ()
    assert looked_at(ENOUGH, {}) == [
        "engine: 26.1.5+dfsg1, Compose 2.26.1-4",
        "disk: 20.0 GB free under /var/lib/docker",
        "memory: 4.0 GB available, against a minimum of 2 GB",
        "clock: 2023-11-14 22:13:20 UTC, compared with the engine's, the last commit, the newest file",
    ]


def test_what_could_not_be_measured_is_not_judged() -> None:
    """Nor told as looked at."""
    assert findings(Machine(), {}) == ()
    assert looked_at(Machine(), {}) == []
    assert looked_at(Machine(machine_clock=DAY), {}) == ["clock: 2023-11-14 22:13:20 UTC, compared with nothing"]
    assert looked_at(seen(), {"services": {"a": {"mem_limit": "1000000000"}}})[2].endswith("against 1.0 GB of limits")


@pytest.mark.parametrize(
    ("different", "told"),
    [
        ({"lacking": "no engine answers"}, [("engine-missing", "no engine answers")]),
        (
            {"engine": "24.0.7"},
            [("engine-too-old", "engine 24.0.7 is too old: it does not know health checks' start_interval")],
        ),
        ({"engine": "25.0.0"}, []),
        ({"engine": "dev"}, []),
        (
            {"compose": "2.20.1"},
            [("compose-too-old", "Compose 2.20.1 is too old: it does not know health checks' start_interval")],
        ),
        ({"compose": "2.20.2"}, []),
        ({"compose": "v2.30"}, []),
        ({"engine": "20.10", "compose": "2.3"}, [("engine-too-old", None), ("compose-too-old", None)]),
    ],
)
def test_the_engine_is_judged_by_its_answer_and_its_version(
    different: dict[str, Any], told: list[tuple[str, str | None]]
) -> None:
    """Both engine and Compose must know what every run asks of them; these stop a run, so they are errors."""
    found = list(engine(seen(**different)))

    assert [one.id for one in found] == [identifier for identifier, _ in told]
    assert all(summary in {None, one.summary} for one, (_, summary) in zip(found, told, strict=True))
    assert {(one.severity, one.file, one.line, one.service) for one in found} <= {(ERROR, "host", None, None)}
    assert all(one.remedy for one in found)


@pytest.mark.parametrize(
    ("text", "version"),
    [("v2.26.1-4", (2, 26, 1)), ("26.1.5+dfsg1", (26, 1, 5)), ("dev", ()), ("", ()), ("2", (2,))],
)
def test_a_version_is_the_numbers_it_begins_with(text: str, version: tuple[int, ...]) -> None:
    """Whatever a distribution adds."""
    assert version_of(text) == version


@pytest.mark.parametrize(
    ("free", "builds", "told"),
    [
        (0.99, False, [("disk-short", ERROR, "1.0 GB are free under /var/lib/docker; a run needs 1 GB")]),
        (1.0, False, [("disk-low", WARNING, "1.0 GB only are free under /var/lib/docker")]),
        (1.99, False, [("disk-low", WARNING, "2.0 GB only are free under /var/lib/docker")]),
        (2.0, False, []),
        (9.9, True, [("disk-short", ERROR, "9.9 GB are free under /var/lib/docker; a first build needs 10 GB")]),
        (10.0, True, []),
    ],
)
def test_room_is_asked_for_by_what_is_still_to_be_built(free: float, builds: bool, told: list[tuple[str, ...]]) -> None:
    """A run needs little, a first build much; just enough is warned of."""
    found = list(disk(seen(free=free * GB, builds=builds)))

    assert [(one.id, one.severity, one.summary) for one in found] == told


@given(st.floats(0, 1e13), st.floats(0, 1e13), st.booleans())
def test_more_room_is_never_worse(one: float, other: float, builds: bool) -> None:
    """The more is free, the less is said."""
    rank = {"disk-short": 2, "disk-low": 1}
    less, more = (
        max((rank[found.id] for found in disk(seen(free=free, builds=builds))), default=0)
        for free in sorted((one, other))
    )

    assert more <= less


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("512M", 512 * 1024**2),
        ("536870912", 536870912),
        (1024, 1024),
        ("1.5gb", 1.5 * 1024**3),
        ("2GiB", 2 * 1024**3),
        ("1k", 1024),
        ("1t", 1024**4),
        ("7b", 7),
        ("much", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_a_size_is_read_as_compose_writes_it(value: Any, size: float) -> None:
    """In bytes; what is none is nothing."""
    assert size_of(value) == size


def test_a_services_limit_counts_for_each_of_its_replicas() -> None:
    """In the new form and the old; without one, or with a senseless one, it is left out."""
    limits = {"resources": {"limits": {"memory": "1k"}}}
    services = {
        "one": {"deploy": limits},
        "three": {"deploy": {**limits, "replicas": 3}},
        "none": {"deploy": {**limits, "replicas": 0}},
        "null": {"deploy": {**limits, "replicas": None}},
        "old": {"mem_limit": "2k", "scale": 2},
        "open": {},
        "empty": {"deploy": {"resources": None}},
        "odd": {"mem_limit": "much"},
    }

    assert limits_of({"services": services}) == {"one": 1024, "three": 3072, "none": 0, "null": 1024, "old": 4096}
    assert limits_of({}) == limits_of({"services": None}) == {}


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({}, []),
        ({"a": 2 * GB, "b": 2 * GB}, []),
        (
            {"a": 2 * GB, "b": 2.1 * GB},
            ["4.0 GB of memory are available; the limits of 2 services sum up to 4.1 GB"],
        ),
        (
            {"a": 8.5 * GB},
            [
                "a may take 8.5 GB; the machine has 8.0 GB",
                "4.0 GB of memory are available; the limits of 1 service sum up to 8.5 GB",
            ],
        ),
    ],
)
def test_memory_is_compared_with_what_the_services_may_take(limits: dict[str, float], told: list[str]) -> None:
    """A limit is no need, so too little is warned of; a service that may take more than there is, by its name."""
    found = list(memory(ENOUGH, limits))

    assert [one.summary for one in found] == told
    assert {one.severity for one in found} <= {WARNING}
    assert [one.id for one in found] == ["memory-short", "memory-low"][2 - len(told) :]


def test_memory_without_limits_is_compared_with_a_minimum() -> None:
    """The minimum is said."""
    (found,) = memory(seen(available=1.9 * GB), {})

    assert found.summary == "1.9 GB of memory are available; no service states a limit, and the minimum is 2.0 GB"
    assert list(memory(seen(available=2 * GB), {})) == []
    assert [one.id for one in memory(seen(total=None), {"a": 9 * GB})] == ["memory-low"]


@pytest.mark.parametrize(
    ("different", "told"),
    [
        ({"engine_clock": DAY + 5.1}, []),
        ({"engine_clock": DAY + 5.3}, [("clock-apart", "the machine's clock and the engine's are 5 s apart")]),
        ({"engine_clock": DAY - 60}, [("clock-apart", "the machine's clock and the engine's are 60 s apart")]),
        ({"engine_clock": DAY + 60, "asked_for": 60}, []),
        ({"engine_clock": None}, []),
        ({"dated": {"the last commit": DAY + 300}}, []),
        (
            {"dated": {"the newest file": DAY, "the last commit": DAY + 301}},
            [
                (
                    "clock-behind",
                    "the clock says 2023-11-14 22:13:20 UTC, but the last commit was made 2023-11-14 22:18:21 UTC",
                )
            ],
        ),
        ({"dated": {}}, []),
        ({"machine_clock": None, "engine_clock": 0.0}, []),
    ],
)
def test_the_clock_is_held_against_what_was_made_before(different: dict[str, Any], told: list[tuple[str, str]]) -> None:
    """The engine's clock, and times that cannot lie ahead; the time that asking took, and other authors' clocks, are granted."""
    found = list(clock(seen(**different)))

    assert [(one.id, one.summary) for one in found] == told
    assert {one.severity for one in found} <= {WARNING}


def test_times_are_told_in_utc() -> None:
    """To the second."""
    assert told_time(0) == "1970-01-01 00:00:00 UTC"


def config(*rows: dict[str, Any]) -> dict[str, Any]:
    """A rendered configuration of one service with these ports."""
    return {"services": {"api": {"ports": list(rows)}, "db": {}}}


def test_published_ports_are_read_as_compose_renders_them() -> None:
    """A range is each of its ports; what is published on any port asks for none."""
    found = published(
        config(
            {"target": 80, "published": "8000", "host_ip": "127.0.0.1", "protocol": "tcp"},
            {"target": 53, "published": "53-54", "protocol": "udp"},
            {"target": 81, "published": "9000"},
            {"target": 82},
            {"target": 83, "published": "0"},
            {"target": 84, "published": ""},
        )
    )

    assert found == (
        Published("api", "127.0.0.1", 8000),
        Published("api", "", 53, "udp"),
        Published("api", "", 54, "udp"),
        Published("api", "", 9000),
    )
    assert published({}) == ()


LISTENERS = [
    Listener("127.0.0.1", 80, "tcp", 7, "nginx"),
    Listener("::", 81, "tcp", 8, ""),
    Listener("0.0.0.0", 53, "udp", 9, "dnsmasq"),  # noqa: S104  as the system tells it
    Listener("10.0.0.1", 82),
]


@pytest.mark.parametrize(
    ("port", "by"),
    [
        (Published("a", "127.0.0.1", 80), "nginx (pid 7)"),
        (Published("a", "", 80), "nginx (pid 7)"),
        (Published("a", "10.0.0.1", 80), ""),
        (Published("a", "127.0.0.1", 81), "a process (pid 8)"),
        (Published("a", "127.0.0.1", 82), ""),
        (Published("a", "10.0.0.1", 82), "a process that this user may not see"),
        (Published("a", "127.0.0.1", 53), ""),
        (Published("a", "127.0.0.1", 53, "udp"), "dnsmasq (pid 9)"),
        (Published("a", "", 83), ""),
    ],
)
def test_a_port_is_held_by_whoever_listens_where_it_would(port: Published, by: str) -> None:
    """Same port, same protocol, and an address that both would take."""
    assert holder(port, LISTENERS, {}) == by


@pytest.mark.parametrize(
    ("told", "by"),
    [
        ("0.0.0.0:80->8080/tcp, :::80->8080/tcp", "the container web"),
        ("127.0.0.1:79-81->79-81/tcp", "the container web"),
        ("127.0.0.1:81-82->81-82/tcp", "nginx (pid 7)"),
        ("0.0.0.0:80->53/udp", "nginx (pid 7)"),
        ("80/tcp", "nginx (pid 7)"),
        ("10.0.0.1:80->80/tcp", "nginx (pid 7)"),
        ("", "nginx (pid 7)"),
    ],
)
def test_a_container_is_named_before_the_proxy_that_listens_for_it(told: str, by: str) -> None:
    """By the engine's list of what is published."""
    assert holder(Published("a", "127.0.0.1", 80), LISTENERS, {"web": told}) == by


def test_a_held_port_is_warned_of_and_so_is_one_published_twice() -> None:
    """With who holds it; the gate itself takes another."""
    wanted = [Published("a", "", 80), Published("b", "127.0.0.1", 99), Published("c", "", 99), Published("c", "", 99)]
    found = list(ports(wanted, LISTENERS, {}))

    assert [(one.id, one.severity, one.summary, one.service) for one in found] == [
        ("port-held", WARNING, "port 80 of a is held by nginx (pid 7)", "a"),
        ("port-twice", WARNING, "b and c both publish port 99", "c"),
        ("port-twice", WARNING, "b and c both publish port 99", "c"),
    ]
    assert "unless an overlay names 80" in found[0].remedy
    assert list(ports([Published("a", "127.0.0.1", 9), Published("b", "10.0.0.1", 9)], [], {})) == []
    assert list(ports([Published("a", "", 9), Published("b", "", 9, "udp"), Published("b", "", 8)], [], {})) == []


def test_all_that_the_numbers_say_is_said() -> None:
    """Engine, disk, memory, clock, in this order; as JSON they are what was measured."""
    poor = seen(lacking="none", free=0.0, available=0.0, machine_clock=0.0, engine_clock=None)

    assert [one.id for one in findings(poor, {})] == ["engine-missing", "disk-short", "memory-low", "clock-behind"]
    assert [one.id for one in findings(poor, {"services": {"a": {"mem_limit": "9g"}}})][2] == "memory-short"
    assert Machine(**poor.as_json()) == poor
