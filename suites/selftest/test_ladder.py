"""Which rung comes next: from the ground up, and no further where the first thing is broken."""

from collections.abc import Mapping
from typing import Any

import pytest

from reports.ladder import GONE, RUNGS, Climbed, Scene, Step, folders_of, next_rung, ordered, past
from reports.wiring import Kind

HEALTHY = {"condition": "service_healthy"}
KEYS = {"MINIO_ENDPOINT": "http://box:9000", "AWS_ACCESS_KEY_ID": "k"}
CONFIG: dict[str, Any] = {
    "services": {
        "front": {
            "environment": {
                "KEEPER_TRACKING_URI": "http://keeper:5000",
                "A_BUCKET": "things",
                "CACHE": "redis://rabbit",
                "PG": "postgresql://u:p@elephant/n",
                "OUTSIDE": "http://api.example",
                **KEYS,
            },
            "depends_on": {"keeper": HEALTHY},
        },
        "keeper": {"environment": {"STORE": "postgresql://u:p@elephant/n"}, "depends_on": {"elephant": HEALTHY}},
        "elephant": {},
        "rabbit": {},
        "box": {},
    }
}
KEEPER_CLIMB = [("keeper", "elephant", rung) for rung in ("name.resolve", "port.open", *RUNGS[Kind.DATABASE])]
FRONT_CLIMB = [
    ("front", about, rung)
    for about, kind in (
        ("elephant", Kind.DATABASE),
        ("box", Kind.STORE),
        ("rabbit", Kind.QUEUE),
        ("keeper", Kind.TRACKING),
        ("api.example:80", Kind.HTTP),
    )
    for rung in ("name.resolve", "port.open", *RUNGS[kind])
]
Told = tuple[str, str, str]


def climb(scene: Scene, broken: frozenset[Told] = frozenset()) -> list[Told]:
    """The whole climb: position, about, rung; the rungs that are broken fail."""
    climbed: list[Climbed] = []
    while (step := next_rung(scene, climbed)) is not None:
        climbed.append(Climbed(step, ok=told(step) not in broken))
    return [told(one.step) for one in climbed]


def told(step: Step) -> Told:
    """A step in three words."""
    return step.position, step.about, step.name


def scene(**given: Any) -> Scene:
    """The deployment of these tests."""
    return Scene(CONFIG, **given)


def test_a_sound_deployment_is_climbed_from_the_ground_up() -> None:
    """Callers that rest on least first, of each what it needs first, and every rung once."""
    assert climb(scene()) == KEEPER_CLIMB + FRONT_CLIMB


@pytest.mark.parametrize("broken", KEEPER_CLIMB + FRONT_CLIMB, ids="-".join)
def test_a_broken_rung_ends_its_link_and_no_other(broken: Told) -> None:
    """Above it nothing is asked; at a closed port its service is asked where it listens, if it is one."""
    position, about, rung = broken
    link = [step for step in KEEPER_CLIMB + FRONT_CLIMB if step[:2] == (position, about)]
    above = link[link.index(broken) + 1 :]
    look = [(about, about, "ports.listening")] if rung == "port.open" and about != "api.example:80" else []
    at = (KEEPER_CLIMB + FRONT_CLIMB).index(broken) + 1
    expected = [step for step in KEEPER_CLIMB + FRONT_CLIMB if step not in above]
    expected[at:at] = look

    assert climb(scene(), frozenset({broken})) == expected


def test_a_closed_port_is_looked_at_once() -> None:
    """Two callers that find it closed need one look, and a look that fails is not taken again."""
    closed = frozenset({(caller, "elephant", "port.open") for caller in ("keeper", "front")})
    look = ("elephant", "elephant", "ports.listening")

    for broken in (closed, closed | {look}):
        assert climb(scene(), broken).count(look) == 1


@pytest.mark.parametrize("state", sorted(GONE))
def test_a_service_that_is_known_to_be_gone_is_not_asked(state: str) -> None:
    """Its state says it all; one that runs, or of which nothing is known, is asked."""
    without = [step for step in KEEPER_CLIMB + FRONT_CLIMB if step[1] != "elephant"]

    assert climb(scene(states={"elephant": state})) == without
    assert climb(scene(states={"elephant": "running"})) == KEEPER_CLIMB + FRONT_CLIMB


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ended_well": frozenset({"keeper"})}, FRONT_CLIMB),
        ({"only": frozenset({"keeper"})}, KEEPER_CLIMB),
        ({"only": frozenset()}, []),
        ({"only": frozenset({"keeper"}), "ended_well": frozenset({"keeper"})}, []),
    ],
    ids=["job that ended well", "one caller", "no caller", "none left"],
)
def test_only_callers_that_are_asked_about_climb(given: Mapping[str, Any], expected: list[Told]) -> None:
    """A job that ended well has nothing to be asked about."""
    assert climb(scene(**given)) == expected


def test_missing_modules_are_looked_for_first() -> None:
    """Each in the image of its own service, once, whatever is found."""
    modules = {"keeper": "boto3", "front": "psycopg2"}
    looks = [("front", "front", "image.module"), ("keeper", "keeper", "image.module")]
    first = next_rung(scene(missing_modules=modules), [])

    assert first is not None
    assert first.args == {"module": "psycopg2"}
    assert first.key == ("image.module", "front", "front", "psycopg2")
    assert climb(scene(missing_modules=modules), frozenset(looks)) == looks + KEEPER_CLIMB + FRONT_CLIMB


@pytest.mark.parametrize("bucket", ["things", ""])
def test_objects_are_asked_for_only_where_a_bucket_is_known(bucket: str) -> None:
    """Without one the store itself is the last that can be asked."""
    config = {"services": {"front": {"environment": {**KEYS, "BUCKET": bucket}}, "box": {}}}
    rungs = [rung for _, _, rung in climb(Scene(config))]
    step = next_rung(Scene(config), [])

    assert rungs == ["name.resolve", "port.open", "store.bucket", *(["store.objects"] if bucket else [])]
    assert step is not None
    assert step.args.get("bucket") == ({"is": bucket} if bucket else None)


def test_a_step_says_where_the_login_is_read_from() -> None:
    """Names of settings, no values; two settings that lead to one service are two links."""
    environment = {"DB_HOST": "elephant", "DB_PASSWORD": "hidden", "PG": "postgresql://elephant"}
    found = Scene({"services": {"front": {"environment": environment}, "elephant": {}}})
    step = next_rung(found, [])

    assert step is not None
    assert step.args == {"host": "elephant", "port": 5432, "password": {"env": "DB_PASSWORD"}}
    assert [link.setting for link in ordered(found)] == ["DB_HOST", "PG"]
    assert len(climb(found)) == 2 * len(KEEPER_CLIMB)


@pytest.mark.parametrize(
    ("role", "given", "folders"),
    [
        (
            "object-store",
            {"volumes": [{"type": "volume", "target": "/data"}], "tmpfs": "/fast:size=1m"},
            ["/data", "/fast"],
        ),
        ("database", {"tmpfs": ["/pg"]}, ["/pg"]),
        ("object-store", {"volumes": [{"type": "volume", "target": "/data", "read_only": True}]}, None),
        ("object-store", {"volumes": [{"type": "bind", "target": "/etc/x"}]}, None),
        ("queue", {"tmpfs": ["/data"]}, None),
    ],
)
def test_who_keeps_data_is_asked_for_its_folders_where_a_caller_is_refused(
    role: str, given: Mapping[str, Any], folders: list[str] | None
) -> None:
    """Only of what refuses, only databases and stores, only mounts that may be written to, and only once."""
    config = {"services": {**CONFIG["services"], "box": given}}
    refused = frozenset({("front", "box", "store.objects")})
    seen = Scene(config, roles={"box": role}, states={"box": "running"})

    asked = [told for told in climb(seen, refused) if told[2] == "data.write"]

    assert asked == ([("box", "box", "data.write")] if folders else [])
    assert not [told for told in climb(seen) if told[2] == "data.write"]
    if folders:
        assert folders_of(given) == folders


def test_nothing_is_asked_of_nothing() -> None:
    """A deployment without services has no rungs."""
    assert next_rung(Scene({}), []) is None


BETWEEN: dict[str, Any] = {
    "services": {
        "front": {"environment": {"CACHE": "redis://relay:7000"}},
        "relay": {},
        "rabbit": {},
    }
}


@pytest.mark.parametrize(
    ("roles", "way"),
    [
        ({"relay": "other", "rabbit": "queue"}, ("rabbit", 6379, "relay")),
        ({"relay": "queue", "rabbit": "queue"}, None),
        ({"relay": "registry", "rabbit": "queue"}, None),
        ({"relay": "other"}, None),
        ({"relay": "other", "rabbit": "queue", "second": "queue"}, None),
    ],
)
def test_the_way_past_leads_to_the_only_service_that_can_be_meant(
    roles: dict[str, str], way: tuple[str, int, str] | None
) -> None:
    """From a service of no role of its own to the one that has the role that is asked for; with several nobody knows."""
    scene = Scene(BETWEEN, roles=roles)
    link = ordered(scene)[0]

    found = past(link, scene)

    assert (None if found is None else (found.target, found.port, found.past)) == way


def test_what_breaks_beyond_another_is_asked_past_it() -> None:
    """Once a question through it broke, the same rungs are climbed from the same place without it."""
    scene = Scene(BETWEEN, roles={"relay": "other", "rabbit": "queue"})
    climbed: list[Climbed] = []
    while (step := next_rung(scene, climbed)) is not None and len(climbed) < 20:
        climbed.append(Climbed(step, ok=step.name != "queue.login"))

    told = [(one.step.about, one.step.name) for one in climbed]

    assert told[:3] == [("relay", "name.resolve"), ("relay", "port.open"), ("relay", "queue.login")]
    assert told[3:6] == [("rabbit", "name.resolve"), ("rabbit", "port.open"), ("rabbit", "queue.login")]
