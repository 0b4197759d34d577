"""The harness asks and never judges: whatever its partner does is an answer, and every exchange is kept."""

import base64
import importlib.util
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fixtures.http import Http, Problem
from fixtures.journal import Journal
from fixtures.process import PROBE, Process, Reply, here
from fixtures.redactor import Redactor
from fixtures.registrations import FOREST, METADATA, Registered, of_reply
from fixtures.sink import Sink
from fixtures.waiting import Patience, wait_until

HARNESS = Path(__file__).parents[2] / "fixtures" / "images" / "harness" / "harness.py"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An open journal."""
    opened = Journal(tmp_path / "evidence", Redactor())
    yield opened
    opened.close()


@pytest.fixture
def probe(journal: Journal) -> Iterator[Process]:
    """A probe process on this machine, which imports nothing."""
    process = Process("here", here(), journal, environment={"PATH": "/usr/bin:/bin"})
    yield process
    process.close()


Started = Callable[..., int]


@pytest.fixture
def started() -> Iterator[Started]:
    """Starts a stand-in as a local process and gives its port."""
    running = []

    def start(name: str, *words: str) -> int:
        port = free_port()
        running.append(subprocess.Popen([sys.executable, str(HARNESS), name, str(port), *words]))
        wait_until(lambda: answers(port), bool, within=10)
        return port

    yield start
    for process in running:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Plain(BaseHTTPRequestHandler):
    """A service that answers 200."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def http_to(port: int, journal: Journal, role: str = "sink") -> Http:
    """A stand-in over HTTP."""
    return Http(role, lambda: f"http://127.0.0.1:{port}", journal)


def test_a_call_is_answered_with_warnings_and_kept(probe: Process, journal: Journal) -> None:
    """A reply holds result, types and warnings; what a library prints disturbs nobody; the exchange is in the journal."""
    reply = probe.call("echo", a=1, b="two")

    assert reply.error is None
    assert (reply.result["a"], reply.result["b"]) == (1, "two")
    assert reply.types["b"] == "str"
    assert reply.warnings == (("UserWarning", "echoed"),)
    (event,) = [event for event in journal.events("probe") if event.subject == "echo"]
    assert (event.seq, event.request["place"], event.request["args"]) == (reply.seq, "here", {"a": 1, "b": "two"})
    assert [event.subject for event in journal.events("warning")] == ["client here"]


def test_settings_of_a_call_are_its_own(probe: Process) -> None:
    """A call with settings of its own runs in another process; the next one does not see them."""
    first, other, third = probe.call("echo"), probe.call("echo", env={"AIRWORTHY_ECHO": "here"}), probe.call("echo")

    assert (first.result["environment"], other.result["environment"]) == (None, "here")
    assert third.result["environment"] is None
    assert first.result["pid"] == third.result["pid"] != other.result["pid"]


def test_a_call_that_hangs_is_a_time_out_and_the_next_is_answered(probe: Process) -> None:
    """The end of a call's time is an error of the reply, told at once; a fresh worker takes the next call."""
    reply = probe.call("sleep", seconds=20, limit=0.3)

    assert reply.error is not None
    assert reply.error.type == "TimeoutError"
    assert reply.seconds < 2
    assert probe.call("echo").error is None


def test_an_error_is_told_with_its_kind(probe: Process) -> None:
    """What a call raises, an unknown call included, is the reply's error."""
    assert str(probe.call("sleep", seconds="long").error).startswith("TypeError: ")
    assert str(probe.call("nonsense").error) == "UnanswerableError: no call 'nonsense'"


def test_a_process_that_cannot_start_is_an_answer(journal: Journal) -> None:
    """A partner that ends instead of answering gives an error that holds its last words, every time."""
    process = Process("gone", ["sh", "-c", "echo no such container >&2; exit 3"], journal)
    first, second = process.call("echo"), process.call("echo")
    process.close()

    for reply in (first, second):
        assert reply.error is not None
        assert reply.error.type == "ProcessEnded"
        assert "status 3" in reply.error.message
        assert "no such container" in reply.error.message


def test_a_process_is_started_again_after_it_ended(probe: Process) -> None:
    """After its container was restarted a process is there again for the next call."""
    first = probe.call("echo")
    probe._running.end()  # noqa: SLF001  as a restart of its container does

    again = probe.call("echo")

    assert again.error is None
    assert again.result["pid"] != first.result["pid"]


def test_imports_are_read_from_source_and_tried(journal: Journal, tmp_path: Path) -> None:
    """Every third-party module of a package is found, guarded ones marked, and tried in the image's interpreter."""
    package = tmp_path / "service"
    package.mkdir()
    (package / "__init__.py").write_text("import json\nfrom . import own\nfrom service import own\n")
    (package / "own.py").write_text("import no_such\ntry:\n    import nor_this\nexcept ImportError:\n    pass\n")
    process = Process("here", here(), journal, environment={"PATH": "/usr/bin:/bin"})
    reply = process.call("modules_imported_by", package=str(package))
    process.close()

    found = reply.result["modules"]
    assert sorted(found) == ["no_such", "nor_this"]
    assert (found["no_such"]["optional"], found["nor_this"]["optional"]) == (False, True)
    assert found["no_such"]["error"] == "ModuleNotFoundError: No module named 'no_such'"


def test_a_refused_connection_is_an_answer(journal: Journal) -> None:
    """Nobody there is an answer without a status, with the error's kind, and is kept."""
    answer = http_to(free_port(), journal).get("/health", timeout=2)

    assert answer.status is None
    assert answer.error is not None
    assert answer.error.type == "ConnectionError"
    assert journal.events("http")[0].response["error"]["type"] == "ConnectionError"


def test_no_address_is_an_answer(journal: Journal) -> None:
    """A service without a container is an answer too."""
    answer = Http("registry", lambda: None, journal).get("/health")

    assert str(answer.error).endswith("its container is not running")


def test_an_answer_that_drips_is_cut_off(journal: Journal) -> None:
    """An answer that begins and does not end costs no more than its time."""

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not self.wfile.closed:
                self.wfile.write(b"." * 65536)

        def log_message(self, *_: object) -> None:
            return

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

    server = HTTPServer(("127.0.0.1", 0), Dripping)
    thread = Thread(target=server.handle_request, daemon=True)
    thread.start()
    answer = http_to(server.server_address[1], journal).get("/", timeout=0.5)
    thread.join(5)
    server.server_close()

    assert answer.seconds < 3
    assert answer.error is not None or len(answer.body) > 0


def test_the_sink_keeps_bodies_answers_as_told_and_waits(started: Started, journal: Journal) -> None:
    """The sink keeps raw bytes, gives programmed answers to whom they are meant for, and tells as soon as enough came."""
    port = started("sink")
    http, sink = http_to(port, journal), Sink(http_to(port, journal), journal)
    sink.answer_next([500, 500], key="mine")
    body = json.dumps({"model_id": "mine/1"}, indent=3).encode()

    statuses = [http.post("/hook", content=body).status for _ in range(3)]
    other = http.post("/hook", json={"model_id": "other/1"}).status
    seen = sink.wait_for(3, "mine/1", within=2)

    assert (statuses, other) == ([500, 500, 200], 200)
    assert [delivery.status_given for delivery in seen] == [500, 500, 200]
    assert {delivery.body for delivery in seen} == {body}
    assert len(sink.requests()) == 4
    assert len(sink.wait_for(4, "mine/1", within=0.2)) == 3
    assert [event.subject for event in journal.events("delivery")] == ["mine/1", "mine/1", "mine/1", "other/1"]


def test_the_gate_opens_refuses_and_falls_silent(started: Started, journal: Journal) -> None:
    """A door forwards, refuses as a closed port does, or swallows; and forwards again."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Plain)
    Thread(target=server.serve_forever, daemon=True).start()
    behind = server.server_address[1]
    # a gate listens on the port of the service behind it, so that one is reached under another address of this machine
    forward = {"postgres": {"to": "127.0.0.1", "ports": [behind], "host": "127.0.0.2"}}
    gate = http_to(started("gate", json.dumps(forward)), journal, "gate")
    door = Http("database", lambda: f"http://127.0.0.2:{behind}", journal)
    seen = []
    for mode in ("open", "refuse", "silent", "open"):
        assert gate.post("/_gate", json={"upstream": "postgres", "mode": mode}).status == 200
        answer = door.get("/x", timeout=0.5)
        seen.append(answer.status or (answer.error and answer.error.type))

    server.shutdown()
    server.server_close()

    assert seen == [200, "ConnectionError", "ReadTimeout", 200]
    assert gate.get("/_gate").json["postgres"] == {"mode": "open", "passed": 2, "turned_away": 1}
    assert gate.post("/_gate", json={"upstream": "nobody", "mode": "open"}).status == 404


def test_a_failed_registration_skips_who_builds_on_it() -> None:
    """Whoever asks a failed shared registration for what it lacks is skipped, with the reason."""
    reply = Reply(None, Problem("ClientError", "no such bucket"), (), 0.1, 7)
    failed = of_reply("the shared baseline registration", FOREST, METADATA, reply)

    assert failed.error is not None
    with pytest.raises(pytest.skip.Exception, match="because the shared baseline registration failed: ClientError"):
        _ = failed.uuid


def test_a_registration_names_what_it_made() -> None:
    """A registration that worked has its names, and what it lacks is told."""
    answer = {"model_uuid": "m-1", "version": "2", "model_name": "n", "model_id": "n/2"}
    made: Registered = of_reply("x", FOREST, METADATA, Reply({"answer": answer}, None, (), 0.1, 7))

    assert (made.uuid, made.name, made.version, made.model_id, made.evidence) == ("m-1", "n", "2", "n/2", [7])
    with pytest.raises(pytest.skip.Exception, match="answered without run_id"):
        _ = made.run_id


def test_a_body_is_base64_in_the_stand_ins_log(started: Started, journal: Journal) -> None:
    """What came is kept byte for byte, whatever the bytes are."""
    port = started("external")
    http = http_to(port, journal, "external")
    http.post("/any", content=bytes(range(256)))

    (entry,) = http.get("/_log").json
    assert base64.b64decode(entry["body_b64"]) == bytes(range(256))


def test_the_deployments_own_names_lead_where_a_client_outside_reaches_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name and port are resolved to the address that they are published at; any other name as ever."""
    spec = importlib.util.spec_from_file_location("program_under_test", PROBE / "program.py")
    assert spec is not None and spec.loader is not None  # noqa: PT018
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)

    program.lead({"store:9000": "127.0.0.1:4711", "store": "127.0.0.2"})

    assert {row[4] for row in socket.getaddrinfo("store", 9000, type=socket.SOCK_STREAM)} == {("127.0.0.1", 4711)}
    assert {row[4] for row in socket.getaddrinfo(b"store", 5500, type=socket.SOCK_STREAM)} == {("127.0.0.2", 5500)}
    assert {row[4] for row in socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)} == {("127.0.0.1", 80)}


def test_patience_is_short_once_something_did_not_come() -> None:
    """What comes is waited for as stated; what came not once is not waited for as long again."""
    patience = Patience(0.2, after=0.0)

    assert patience.wait(lambda: 1, bool) == 1
    assert patience.within == 0.2
    assert patience.wait(lambda: 0, bool) == 0
    assert patience.within == 0.0
