"""What a service lives on, as the world tells it: counters, clients of a queue, what comes by a webhook, what an ill service answers."""

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fixtures.cgroups import counters
from fixtures.ladder import ill_of, may_come
from fixtures.stack import check_of, limits_of
from reports.diagnosis import diagnose
from reports.ladder import Climbed, Scene, Step, next_rung
from reports.rules.seen import Seen
from reports.wiring import Kind
from suites.selftest.test_rungs import Answering, http, rungs, serve
from suites.selftest.test_stories import STACK, changed, container, crashed, given_up, hasty_check, rung, start, told

__all__ = ["http", "rungs", "serve"]


# --- the kernel's counters -------------------------------------------------------------------------------------------


def group(root: Path, lines: str, files: dict[str, str]) -> Path:
    """A machine on which process 7 is in these groups, with these files in their places."""
    (root / "proc/7").mkdir(parents=True)
    (root / "proc/7/cgroup").write_text(lines)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_counters_are_read_in_either_version(tmp_path: Path) -> None:
    """One hierarchy for each controller, or one for all; what is not there is not counted."""
    apart = group(
        tmp_path / "one",
        "8:pids:/d/x\n4:memory:/d/x\n1:cpu,cpuacct:/d/x\n0::/d/x\n",
        {
            "pids/d/x/pids.events": "max 3\n",
            "memory/d/x/memory.oom_control": "oom_kill_disable 0\noom_kill 2\n",
            "cpu/d/x/cpu.stat": "nr_periods 40\nnr_throttled 39\n",
        },
    )
    joint = group(
        tmp_path / "two",
        "0::/d/x\n",
        {"d/x/memory.events": "low 0\noom_kill 1\n", "d/x/cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 1\n"},
    )

    assert counters(7, apart) == {"oom_kills": 2, "cpu_periods": 40, "cpu_throttled": 39, "pids_refused": 3}
    assert counters(7, joint) == {"oom_kills": 1, "cpu_periods": 9, "cpu_throttled": 1}
    assert counters(8, apart) == counters(0, apart) == {}


def test_limits_and_checks_are_told_in_plain_units() -> None:
    """Only what is limited; times in seconds, the engine's own where none is given."""
    host = {
        "NanoCpus": 50_000_000,
        "PidsLimit": 4,
        "Memory": 0,
        "Ulimits": [{"Name": "nofile", "Soft": 40, "Hard": 40}],
    }

    assert limits_of(host) == {"cpus": 0.05, "pids": 4, "nofile": 40}
    assert limits_of({"CpuQuota": 150_000, "CpuPeriod": 100_000, "PidsLimit": -1}) == {"cpus": 1.5}
    assert limits_of({"PidsLimit": None, "Ulimits": None}) == {}
    assert check_of({"Test": ["CMD", "x"], "Interval": 1_000_000_000, "Retries": 1}) == {
        "test": ["CMD", "x"], "interval": 1.0, "timeout": 30.0, "start_period": 0.0, "retries": 1,
    }  # fmt: skip


# --- a queue ---------------------------------------------------------------------------------------------------------


def tells(table: dict[bytes, bytes]) -> Callable[[socket.socket], None]:
    """A queue that answers commands from a table, and any other with OK; what was set is what is got."""
    held: list[bytes] = []

    def treat(link: socket.socket) -> None:
        while question := link.recv(65536):
            words = [word for word in question.split(b"\r\n") if word and word[:1] not in b"*$"]
            if words[0] == b"SET":
                held.append(words[2])
            known = {b"GET": b"$32\r\n%s\r\n" % b"".join(held), **table}
            link.sendall(known.get(b" ".join(words[:2]), known.get(words[0], b"+OK\r\n")))

    return treat


def bulk(text: str) -> bytes:
    """A text as Redis sends it."""
    return f"${len(text)}\r\n{text}\r\n".encode()


def test_what_a_queue_refuses_besides_and_who_else_is_there_is_told(
    rungs: ModuleType, serve: Callable[..., int]
) -> None:
    """Commands that not every program says break nothing; the harness's own connection is left out."""
    clients = (
        "id=1 addr=10.0.0.9:4711 name=old flags=b cmd=brpop age=3\n"
        "id=2 addr=[fd00::1]:1 name= flags=N cmd=ping\n"
        "id=3 addr=10.0.0.1:2 name= flags=N cmd=client|list\n"
    )
    table = {b"EVAL": b"-NOPERM no permissions to run the 'eval' command\r\n", b"CLIENT": bulk(clients)}
    answer = rungs.run("queue.write", {"host": "127.0.0.1", "port": serve(tells(table))})

    assert answer["ok"]
    assert answer["facts"]["refused"] == {"EVAL": "NOPERM no permissions to run the 'eval' command"}
    assert [(row["address"], row["command"], row["flags"]) for row in answer["facts"]["clients"]] == [
        ("10.0.0.9", "brpop", "b"), ("fd00::1", "ping", "N"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "said", "code"),
    [
        (b"LPUSH", b"-ERR unknown command 'LPUSH', with args beginning with:\r\n", "unknown-command"),
        (b"LPUSH", b"-NOPERM this user has no permissions to run the 'lpush' command\r\n", "NOPERM"),
        (b"SET", b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", "OOM"),
    ],
)
def test_the_command_that_broke_is_named(
    rungs: ModuleType,
    serve: Callable[..., int],
    command: bytes,
    said: bytes,
    code: str,
) -> None:
    """By name, beside the queue's own code."""
    answer = rungs.run("queue.write", {"host": "127.0.0.1", "port": serve(tells({command: said}))})

    assert (answer["ok"], answer["error"]["code"], answer["facts"]["command"]) == (False, code, command.decode())


def test_a_user_who_may_touch_the_queues_names_alone_is_enough(rungs: ModuleType, serve: Callable[..., int]) -> None:
    """A refused key is no refused service: the rung's own key then lies among the queue's."""
    keys: list[bytes] = []

    def treat(link: socket.socket) -> None:
        held = b""
        while question := link.recv(65536):
            words = [word for word in question.split(b"\r\n") if word and word[:1] not in b"*$"]
            keys.extend(word for word in words if b"airworthy" in word)
            if any(word.startswith(b"airworthy") for word in words[1:]):
                link.sendall(b"-NOPERM No permissions to access a key\r\n")
                continue
            held = words[2] if words[0] == b"SET" else held
            link.sendall(b"$32\r\n%s\r\n" % held if words[0] == b"GET" else b"+OK\r\n")

    answer = rungs.run("queue.write", {"host": "127.0.0.1", "port": serve(treat)})

    assert answer["ok"]
    assert {key[:6] for key in keys[1:]} == {b"hokusa"}


def test_a_queue_that_turns_a_client_away_is_heard(rungs: ModuleType, serve: Callable[..., int]) -> None:
    """It speaks first, and closes: what it said is the answer."""

    def treat(link: socket.socket) -> None:
        link.sendall(b"-ERR max number of clients reached\r\n")

    answer = rungs.run("queue.login", {"host": "127.0.0.1", "port": serve(treat)})

    assert answer["error"]["code"] == "max-clients"


def test_what_lies_under_the_queues_names_is_told(rungs: ModuleType, serve: Callable[..., int]) -> None:
    """A list or nothing; else which name, and what it holds."""
    name = rungs.QUEUES[1]
    sound = rungs.run("queue.keys", {"host": "127.0.0.1", "port": serve(tells({b"TYPE": b"+none\r\n"}))})
    wrong = serve(tells({b"TYPE": b"+list\r\n", b"TYPE " + name.encode(): b"+hash\r\n"}))
    answer = rungs.run("queue.keys", {"host": "127.0.0.1", "port": wrong})

    assert (sound["ok"], set(sound["facts"]["kinds"].values())) == (True, {"none"})
    assert (answer["error"]["code"], answer["facts"]["key"], answer["facts"]["holds"]) == (
        "key-wrong-type",
        name,
        "hash",
    )


# --- what comes by a webhook -----------------------------------------------------------------------------------------


class Relaying(Answering):
    """A receiver that keeps what comes, so often and with such changes as told, and shows its log."""

    entries: list[dict[str, Any]]
    times = 1
    lost: tuple[str, ...] = ()
    changed = False
    shut_to = "nobody"

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        """Keep what came."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.shut_to in str(self.headers.get("user-agent")):
            self.send_error(406)
            return
        kept = {name: value for name, value in self.headers.items() if name not in self.lost}
        entry = {"headers": kept, "body_b64": base64.b64encode(body + b" " * self.changed).decode()}
        self.entries.extend([entry] * self.times)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """Show what came about the model that is asked for."""
        wanted = parse_qs(urlsplit(self.path).query)["model_id"][0]
        body = json.dumps(
            [one for one in self.entries if wanted.encode() in base64.b64decode(one["body_b64"])]
        ).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def relay() -> Iterator[Callable[..., str]]:
    """Starts a relay with its receiver in one; its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(**given: Any) -> str:
        handler = type("Relay", (Relaying,), {"entries": [], "table": {}, **given})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, ""),
        ({"times": 2}, "delivered-twice"),
        ({"times": 0}, "not-arrived"),
        ({"lost": ("X-Hokusai-Signature",)}, "headers-differ"),
        ({"changed": True}, "body-differs"),
    ],
)
def test_what_is_sent_by_a_webhook_is_held_against_what_comes(
    rungs: ModuleType,
    relay: Callable[..., str],
    given: dict[str, Any],
    code: str,
) -> None:
    """Once, with its headers, to the byte: else how it came."""
    url = relay(**given)
    answer = rungs.run("webhook.relay", {"url": {"is": f"{url}/hook"}, "log": {"is": f"{url}/_log"}})

    assert (answer["error"] or {}).get("code", "") == code


def test_a_relay_that_lets_no_program_through_is_told(rungs: ModuleType, relay: Callable[..., str]) -> None:
    """What is sent calls itself as the clients do that are installed there."""
    url = relay(shut_to="python")
    answer = rungs.run("webhook.relay", {"url": {"is": f"{url}/hook"}, "log": {"is": f"{url}/_log"}})

    assert answer["error"]["code"] == "status-406"
    assert answer["facts"]["agent"].lower().startswith("python")


def test_a_webhook_that_is_refused_has_its_status(rungs: ModuleType, http: Callable[..., str]) -> None:
    """What the relay answers is told."""
    url = http({"/hook": (502, "text/html", b"")})
    answer = rungs.run("webhook.relay", {"url": {"is": f"{url}/hook"}, "log": {"is": f"{url}/_log"}})

    assert (answer["error"]["code"], answer["facts"]["status"]) == ("status-502", 502)


def steps(scene: Scene) -> list[Step]:
    """Every step of a climb on which all is sound."""
    climbed: list[Climbed] = []
    while (step := next_rung(scene, climbed)) is not None:
        climbed.append(Climbed(step, ok=True))
    return [one.step for one in climbed]


def test_a_relay_is_asked_where_the_harness_listens_behind_it() -> None:
    """Not where the webhook leads to the harness itself, nor where no sink is, nor of an address that is no webhook."""
    led = changed("front", WEBHOOK_URL="http://relay:80/")
    led["services"]["relay"] = {}
    sent = [step for step in steps(Scene(led)) if step.name == "webhook.relay"]
    direct = changed("front", WEBHOOK_URL="http://sink:8091/")
    other = changed("front", OTHER_URL="http://relay:80/")
    other["services"]["relay"] = {}
    alone = {"services": {name: row for name, row in led["services"].items() if name != "sink"}}

    assert [(step.position, step.about, step.args["log"]) for step in sent] == [
        ("front", "relay", {"is": "http://sink:8091/_log"})
    ]
    assert sent[0].link is not None
    assert sent[0].link.kind is Kind.HTTP
    for config in (direct, other, alone):
        assert "webhook.relay" not in {step.name for step in steps(Scene(config))}


# --- an ill service --------------------------------------------------------------------------------------------------


def test_an_ill_service_is_asked_what_it_answers_itself(
    rungs: ModuleType, http: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every port that listens, by HTTP: status by path."""
    port = int(
        http({"/health": (200, "text/plain", b"OK"), "/ready": (503, "text/plain", b"redis is away")}).rpartition(":")[
            2
        ]
    )
    rows = [{"address": "127.0.0.1", "port": port}, {"address": "127.0.0.11", "port": 1}]
    monkeypatch.setattr(rungs, "ports_listening", lambda _: {"listening": rows})
    answer = rungs.run("service.answers", {})
    statuses = {row["path"]: (row["status"], row["said"]) for row in answer["facts"]["answers"]}

    assert answer["ok"]
    assert answer["facts"]["listening"] == [port]
    assert (statuses["/health"], statuses["/ready"]) == ((200, ""), (503, "redis is away"))
    assert [step.name for step in steps(Scene(STACK, only=frozenset(), ill=frozenset({"front"})))] == [
        "service.answers"
    ]


def test_an_ill_service_of_which_nothing_is_broken_is_given_time() -> None:
    """Until it listens, turns well or dies; not where something that it asks is broken, nor where nobody could ask it."""

    def late(listening: list[int], **broken: str) -> frozenset[str]:
        story = given_up(container(told(), "tracker", health="unhealthy"), "tracker")
        rung(story, "service.answers", "tracker", broken.get("own", ""), listening=listening)
        rung(story, "database.login", "tracker", broken.get("login", ""))
        return may_come(Seen(story.done()))

    assert late([]) == {"tracker"}
    assert late([5000]) == late([], login="28P01") == late([], own="broken") == frozenset()
    turned = hasty_check()
    rung(turned, "service.answers", "tracker", listening=[])
    assert may_come(Seen(turned.done())) == frozenset()
    assert ill_of(Seen(crashed("front").done())) == frozenset()


def test_a_service_that_others_await_needs_a_check() -> None:
    """The engine's refusal names a container: the service behind it, and who waits for it."""
    said = "dependency failed to start: container x-tracker-1 has no healthcheck configured"
    found = diagnose(start(said).done())

    assert [(entry.cause, entry.component) for entry in found] == [("health-check-unmeetable", "tracker")]
    assert "front wait" in found[0].remedy
    assert diagnose(start("container y-1 has no healthcheck configured").done()) == ()
