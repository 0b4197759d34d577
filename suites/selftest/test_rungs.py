"""Who calls whom by which settings, and which question comes next; the rungs themselves against small real servers."""

import importlib.util
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import certifi
import pytest

from fixtures.journal import Journal
from fixtures.ladder import is_wanted, scene_of, told_of_folders
from fixtures.programs import GIVEN, settings_in
from fixtures.redactor import Redactor
from reports.graph import graph_of
from reports.ladder import Climbed, Scene, Step, next_rung
from reports.rules.seen import Seen
from reports.wiring import (
    AWS,
    Kind,
    Link,
    artifact_root,
    environment_of,
    is_direct,
    jobs_of,
    links_of,
    options_of,
    service_at,
    words_of,
)
from suites.selftest.journals import Story
from suites.selftest.test_stories import STACK, changed, container, crashed, failed, told

SOURCE = Path(__file__).parents[2] / "fixtures" / "images" / "probe" / "rungs.py"


def climb(scene: Scene, broken: dict[tuple[str, str], str] | None = None) -> list[Step]:
    """Every step of a climb on which the rungs named (rung, position) are broken with a code and all else is sound."""
    climbed: list[Climbed] = []
    while (step := next_rung(scene, climbed)) is not None:
        code = (broken or {}).get((step.name, step.position), "")
        climbed.append(Climbed(step, ok=not code, code=code))
    return [one.step for one in climbed]


def linked(environment: dict[str, str] | list[str], **others: Any) -> list[Link]:
    """The links of one service with these settings, among others of these names."""
    services: dict[str, Any] = {"app": {"environment": environment, **others.pop("app", {})}}
    return [
        link
        for link in links_of({"services": services | {name: row or {} for name, row in others.items()}})
        if link.caller == "app"
    ]


def test_the_ground_comes_first() -> None:
    """Callers from the ground up, and of each what it needs first: database, store, queue, MLflow, others."""
    steps = climb(Scene(STACK))
    firsts = list(dict.fromkeys((step.position, step.link.kind) for step in steps if step.link))

    assert firsts == [
        ("bucket", Kind.STORE),
        ("tracker", Kind.DATABASE),
        ("tracker", Kind.STORE),
        ("front", Kind.DATABASE),
        ("front", Kind.STORE),
        ("front", Kind.QUEUE),
        ("front", Kind.TRACKING),
        ("front", Kind.HTTP),
    ]
    assert [step.name for step in steps if step.position == "tracker" and step.link and step.link.kind is Kind.DATABASE] == [
        "name.resolve", "port.open", "database.login", "database.rights", "database.schema", "database.rows",
    ]  # fmt: skip


def test_nothing_is_asked_beyond_the_first_broken_rung() -> None:
    """A dependency whose login fails is asked nothing more; the others are."""
    steps = climb(Scene(STACK), {("database.login", "tracker"): "28P01"})
    asked = {(step.name, step.position) for step in steps}

    assert ("database.rights", "tracker") not in asked
    assert ("store.bucket", "tracker") in asked
    assert ("database.rights", "front") in asked


def test_a_closed_port_is_looked_at_from_the_other_side() -> None:
    """What listens at the target tells whose mistake a refused connection is; it is looked at once."""
    steps = climb(Scene(STACK), {("port.open", "tracker"): "refused", ("port.open", "front"): "refused"})
    looks = [step.position for step in steps if step.name == "ports.listening"]

    assert sorted(looks) == ["cache", "pg", "store", "tracker"]


def test_who_is_gone_is_not_asked_for() -> None:
    """A stopped service is named by its state; a job that ended well asks nothing any more."""
    steps = climb(Scene(STACK, states={"pg": "exited", "cache": "paused"}, ended_well=frozenset({"bucket"})))

    assert not {step.about for step in steps} & {"pg", "cache"}
    assert "bucket" not in {step.position for step in steps}


def test_a_missing_module_is_looked_for_in_the_image() -> None:
    """A log's word is checked where the module would be."""
    steps = climb(Scene(STACK, missing_modules={"front": "slowapi"}, only=frozenset()))

    assert [(step.name, step.position, step.args) for step in steps] == [
        ("image.module", "front", {"module": "slowapi"})
    ]


def test_no_step_holds_a_value_that_could_be_secret() -> None:
    """Logins are named by their settings, never handed in."""
    config = changed("front", REDIS_URL="redis://:hushhush@cache:6379/0", DATABASE_PASSWORD="hushhush")

    assert "hushhush" not in json.dumps(
        [[step.args, step.link.as_json() if step.link else None] for step in climb(Scene(config))]
    )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DATABASE_URL": "postgresql+psycopg2://u:p@db/x"}, (Kind.DATABASE, "db", 5432)),
        (["CACHE=rediss://db:6380"], (Kind.QUEUE, "db", 6380)),
        ({"MLFLOW_TRACKING_URI": "https://db"}, (Kind.TRACKING, "db", 443)),
        ({"PGHOST": "db", "PGPORT": "7", "PGUSER": "u"}, (Kind.DATABASE, "db", 7)),
        ({"REDIS_ADDR": "db:7000"}, (Kind.QUEUE, "db", 7000)),
        ({"APP_DB_HOST": "db", "APP_DB_USER": "u"}, (Kind.DATABASE, "db", 5432)),
        ({"S3_ENDPOINT": "http://db:9", "DATA_BUCKET": "b"}, (Kind.STORE, "db", 9)),
        ({"MINIO_URL": "", "DATA_BUCKET": "b", "AWS_ACCESS_KEY_ID": "k"}, (Kind.STORE, AWS, 443)),
        ({"OTHER_URL": "http://db/path"}, (Kind.HTTP, "db", 80)),
    ],
)
def test_a_dependency_is_read_from_a_setting(
    environment: dict[str, str] | list[str], expected: tuple[Kind, str, int]
) -> None:
    """URLs and host, port, user apart; kinds by scheme and name; usual ports where none is given."""
    found = linked(environment, db=None)

    assert [(link.kind, link.host, link.port) for link in found] == [expected]
    assert found[0].about == ("db" if expected[1] == "db" else f"{AWS}:443")


@pytest.mark.parametrize(
    "environment",
    [
        {"HOST": "db"},
        {"DB_HOST": "0.0.0.0"},  # noqa: S104 - a setting to be read
        {"DB_HOST": ""},
        {"SMTP_HOST": "db"},
        {"ORIGIN": "chrome-extension://db"},
        {"LISTEN_URL": "http://0.0.0.0:80"},
        {"AWS_REGION": "x"},
        {"AWS_ACCESS_KEY_ID": "k"},
    ],
)
def test_what_is_no_dependency_makes_no_link(environment: dict[str, str]) -> None:
    """Addresses to listen on, unknown protocols and keys without a use lead nowhere."""
    assert linked(environment, db=None) == []


def test_the_password_of_a_url_without_one_is_looked_for() -> None:
    """A login apart from its URL is found by its name; one in the URL is left there."""
    apart = linked({"DATABASE_URL": "postgresql://u@db/x", "DATABASE_PASSWORD": ""}, db=None)
    within = linked({"REDIS_URL": "redis://:p@db", "REDIS_PASSWORD": "q"}, db=None)

    assert apart[0].reads["password"] == {"env": "DATABASE_PASSWORD"}
    assert "password" not in within[0].reads


def test_a_command_line_is_a_setting_too() -> None:
    """Options with and without `=`, in a list, a string or a shell's script with variables."""
    environment = {"STORE": "postgresql://u:p@db/x"}
    script = {
        "command": ["sh", "-c", "exec mlflow server --backend-store-uri $${STORE} --flag --port=5"],
        "environment": environment,
    }
    odd = {"command": ["sh", "-c", "echo 'it --says"]}

    assert options_of(script) == {"--backend-store-uri": "postgresql://u:p@db/x", "--flag": "", "--port": "5"}
    assert words_of(odd)[-1] == "--says"
    assert options_of({"command": "run --name value --"}) == {"--name": "value"}
    assert environment_of({"environment": {"A": None, "B": 1}}) == {"A": "", "B": "1"}
    assert linked(environment, app=script, db=None)[0].target == "db"


@pytest.mark.parametrize(
    ("service", "direct"),
    [
        ({"command": ["--no-serve-artifacts"]}, True),
        ({"environment": {"MLFLOW_SERVE_ARTIFACTS": "false"}}, True),
        ({"command": ["--default-artifact-root", "s3://b"]}, True),
        ({"command": ["--artifacts-destination", "s3://b"]}, False),
    ],
)
def test_who_goes_to_the_store_is_read_from_the_server(service: dict[str, Any], *, direct: bool) -> None:
    """Clients need the store themselves where the server does not stand between."""
    assert is_direct(service) is direct


def test_a_client_without_a_store_of_its_own_uses_the_servers() -> None:
    """Where artifacts go directly, the bucket of the server is the client's too; behind a proxy it is not."""
    server = {"command": ["mlflow", "--default-artifact-root=s3://b/x"]}
    proxied = {"command": ["mlflow", "--artifacts-destination=s3://b/x"]}
    env = {"MLFLOW_TRACKING_URI": "http://server:5000"}
    direct = [link for link in linked(env, server=server) if link.kind is Kind.STORE]

    assert [(link.says["bucket"], link.says["through"], link.host) for link in direct] == [("b", "server", AWS)]
    assert [link.kind for link in linked(env, server=proxied)] == [Kind.TRACKING]
    assert artifact_root({}) == ("", "")


def test_a_service_is_known_by_all_its_names() -> None:
    """Alias, container name, host name."""
    services = {
        "db": {
            "networks": {"default": {"aliases": ["alias"]}, "other": None},
            "container_name": "cont",
            "hostname": "host",
        }
    }

    assert {service_at(name, services) for name in ("db", "alias", "cont", "host")} == {"db"}
    assert service_at("else", services) is None


def test_a_job_is_known_by_its_label_or_by_who_waits_for_it() -> None:
    """Whoever is to end well is a job."""
    config = {
        "services": {
            "a": {"depends_on": {"b": {"condition": "service_completed_successfully"}}},
            "b": {},
            "c": {"labels": ["x"]},
        }
    }

    assert [name in jobs_of(config) for name in "abc"] == [False, True, False]
    assert "bucket" in jobs_of(STACK)


def test_the_graph_has_the_links_in_it() -> None:
    """What settings name is needed as much as what is declared."""
    assert graph_of(STACK).needs("front") >= {"pg", "cache", "store", "tracker", "bucket"}


@pytest.mark.parametrize(
    ("story", "wanted"),
    [
        (container(told(), "front"), False),
        (crashed("front"), True),
        (container(told(), "front", health="unhealthy"), True),
        (container(told(), "front", status="paused"), True),
        (failed(told()), True),
    ],
    ids=["sound", "gone", "unhealthy", "paused", "failed check"],
)
def test_the_ladder_is_climbed_only_when_something_is_wrong(story: Story, tmp_path: Path, *, wanted: bool) -> None:
    """A sound run is not asked for its troubles."""
    assert is_wanted(kept(story, tmp_path)) is wanted


def test_a_failed_start_wants_the_ladder(tmp_path: Path) -> None:
    """Whatever stopped it."""
    story = told()
    story.tell("start", "run", {"ok": False})

    assert is_wanted(kept(story, tmp_path))


def kept(story: Story, folder: Path) -> Journal:
    """A journal that holds a story."""
    journal = Journal(folder / "evidence", Redactor())
    for event in story.events:
        journal.record(event.kind, event.subject, event.request, event.response)
    journal.close()
    return journal


def test_the_scene_is_read_from_what_was_seen() -> None:
    """States, jobs that ended well, and modules that logs miss."""
    story = crashed("front", "ModuleNotFoundError: No module named 'slowapi'")
    container(story, "bucket", status="exited", exit_code=0)
    scene = scene_of(Seen(story.done()), STACK)

    assert scene.missing_modules == {"front": "slowapi"}
    assert scene.ended_well == {"bucket"}
    assert scene.states["front"] == "exited"


# --- the rungs against servers of a few lines ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rungs() -> ModuleType:
    """The program that runs in containers, loaded from its file."""
    spec = importlib.util.spec_from_file_location("rungs_under_test", SOURCE)
    module = importlib.util.module_from_spec(spec) if spec and spec.loader else sys
    if spec and spec.loader:
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Starts a server that treats one connection in the given way; its port."""
    opened: list[socket.socket] = []

    def start(treat: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def accept() -> None:
            link, _ = listener.accept()
            with link:
                treat(link)

        threading.Thread(target=accept, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for listener in opened:
        listener.close()


def says(*answers: bytes) -> Callable[[socket.socket], None]:
    """A server that gives these answers, one a question, then closes."""

    def treat(link: socket.socket) -> None:
        for answer in answers:
            link.recv(65536)
            link.sendall(answer)
        link.recv(65536)

    return treat


def hangs_up(link: socket.socket) -> None:
    """A server that reads a little and closes."""
    link.recv(1)


def test_names_and_ports_tell_how_they_are_not_there(rungs: ModuleType) -> None:
    """An unknown name, a refused port and an open one are three answers; what listens is in the kernel's table."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        here = rungs.run("ports.listening", {})["facts"]["listening"]
        opened = rungs.run("port.open", {"host": "127.0.0.1", "port": port})
    closed = rungs.run("port.open", {"host": "127.0.0.1", "port": port})
    nowhere = rungs.run("name.resolve", {"host": "no-such-name.invalid", "port": 1})

    assert {"address": "127.0.0.1", "port": port} in here
    assert opened["ok"]
    assert closed["error"]["code"] == "refused"
    assert nowhere["error"]["code"] == "host-unknown"
    assert rungs.run("name.resolve", {"host": "127.0.0.1", "port": 1})["facts"]["addresses"] == ["127.0.0.1"]
    assert rungs.kernel_address("0000000000000000FFFF00000100007F") == "127.0.0.1"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", "WRONGPASS"),
        (b"-ERR AUTH called without any password configured\r\n", "ERR"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not-the-service"),
        (b"", "closed"),
    ],
)
def test_a_queue_is_judged_by_its_own_code(
    rungs: ModuleType, serve: Callable[..., int], monkeypatch: pytest.MonkeyPatch, answer: bytes, code: str
) -> None:
    """Redis' error code, or that it is none."""
    monkeypatch.setenv("QUEUE_URL", "redis://:hush-hush@h/1")
    port = serve(says(answer) if answer else hangs_up)

    told_so = rungs.run("queue.login", {"host": "127.0.0.1", "port": port, "url": {"env": "QUEUE_URL"}})

    assert (told_so["ok"], told_so["error"]["code"]) == (False, code)
    assert "hush" not in json.dumps(told_so)


def test_a_queue_that_is_sound_is_written_to(rungs: ModuleType, serve: Callable[..., int]) -> None:
    """A key of its own goes in and comes back."""
    value: list[bytes] = []

    def treat(link: socket.socket) -> None:
        while question := link.recv(65536):
            words = [word for word in question.split(b"\r\n") if word and word[:1] not in b"*$"]
            if words[0] == b"SET":
                value.append(words[2])
            info = b"role:master\r\nused_memory:10\r\nodd"
            answers = {
                b"INFO": b"$%d\r\n%s\r\n" % (len(info), info),
                b"GET": b"$32\r\n%s\r\n" % b"".join(value),
                b"LPUSH": b":1\r\n",
                b"DEL": b":2\r\n",
                b"PTTL": b":-1\r\n",
            }
            link.sendall(answers.get(words[0], b"+OK\r\n"))

    told_so = rungs.run("queue.write", {"host": "127.0.0.1", "port": serve(treat)})

    assert told_so["ok"]
    assert (told_so["facts"]["role"], told_so["facts"]["used_memory"]) == ("master", 10)


def message(kind: bytes, body: bytes) -> bytes:
    """One message of PostgreSQL's protocol."""
    return kind + (len(body) + 4).to_bytes(4, "big") + body


READY = message(b"R", (0).to_bytes(4, "big")) + message(b"S", b"server_version\x0016.1\0") + message(b"Z", b"I")
REFUSED = message(b"E", b"SFATAL\0C28P01\0Mpassword authentication failed\0\0")


@pytest.mark.parametrize(
    ("answers", "password", "code"),
    [
        ((READY,), "p", ""),
        ((message(b"R", (3).to_bytes(4, "big")), READY), "p", ""),
        ((message(b"R", (5).to_bytes(4, "big") + b"salt"), READY), "p", ""),
        ((message(b"R", (3).to_bytes(4, "big")), REFUSED), "p", "28P01"),
        ((message(b"R", (3).to_bytes(4, "big")),), "", "password-missing"),
        ((message(b"R", (7).to_bytes(4, "big")),), "p", "auth-method"),
        ((message(b"E", b"SFATAL\0C3D000\0Mno database\0\0"),), "p", "3D000"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "p", "not-the-service"),
        ((), "p", "closed"),
    ],
)
def test_a_database_is_judged_by_its_own_state(
    rungs: ModuleType,
    serve: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    answers: tuple[bytes, ...],
    password: str,
    code: str,
) -> None:
    """SQLSTATE, whatever driver or language; a missing password is told before it is sent."""
    monkeypatch.setenv("APP_PASSWORD", password)
    args = {
        "port": serve(says(*answers)),
        "host": "127.0.0.1",
        "user": {"is": "u"},
        "password": {"env": "APP_PASSWORD"},
    }

    told_so = rungs.run("database.login", args)

    assert (told_so["error"] or {}).get("code", "") == code
    assert told_so["facts"]["user"] == "u"


def test_a_setting_that_is_not_there_is_named(rungs: ModuleType) -> None:
    """A rung that lacks a setting says which."""
    told_so = rungs.run("database.login", {"host": "h", "port": 1, "user": {"env": "NO_SUCH_SETTING"}})

    assert (told_so["error"]["code"], told_so["facts"]["setting"]) == ("setting-missing", "NO_SUCH_SETTING")


class Answering(BaseHTTPRequestHandler):
    """A server that answers from a table: path -> status, media type, body."""

    table: dict[str, tuple[int, str, bytes]]

    def answer(self) -> None:
        """Give the path's answer."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        status, media, body = self.table.get(self.path.split("?")[0], (404, "text/plain", b""))
        self.send_response(status)
        self.send_header("content-type", media)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-amz-request-id", "1")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server names it
        """Say nothing."""


@pytest.fixture
def http() -> Iterator[Callable[[dict[str, tuple[int, str, bytes]]], str]]:
    """Starts a server that answers from a table; its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(table: dict[str, tuple[int, str, bytes]]) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Table", (Answering,), {"table": table}))
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def s3_error(code: str) -> bytes:
    """What an object store says of a failure."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message></Error>".encode()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, "application/xml", b"<ListBucketResult/>"), ""),
        ((403, "application/xml", s3_error("InvalidAccessKeyId")), "InvalidAccessKeyId"),
        ((404, "application/xml", s3_error("NoSuchBucket")), "NoSuchBucket"),
        ((403, "application/xml", b""), "AccessDenied"),
        ((500, "text/plain", b"no"), "status-500"),
        ((200, "text/html", b"<html>"), "not-the-service"),
    ],
)
def test_a_store_is_judged_by_its_own_code(
    rungs: ModuleType, http: Callable[..., str], answer: tuple[int, str, bytes], code: str
) -> None:
    """S3's error code, from a signed request by hand."""
    names = b"<r xmlns='x'><Buckets><Bucket><Name>things</Name></Bucket></Buckets></r>"
    url = http({"/b": answer, "/": (200, "application/xml", names)})
    args = {"endpoint": {"is": url}, "key": {"is": "k"}, "secret": {"is": "hush-hush"}, "bucket": {"is": "b"}}

    told_so = rungs.run("store.bucket", args)

    assert (told_so["error"] or {}).get("code", "") == code
    assert "hush" not in json.dumps(told_so)
    assert told_so["facts"].get("buckets") == (["things"] if code in {"NoSuchBucket", ""} else None)


def test_keys_that_are_not_set_are_named(rungs: ModuleType) -> None:
    """Half a pair of keys is a missing setting."""
    told_so = rungs.run(
        "store.bucket", {"key": {"is": "k"}, "secret": {"env": "NO_SUCH_SECRET"}, "bucket": {"is": "b"}}
    )

    assert (told_so["error"]["code"], told_so["facts"]["missing"]) == ("credentials-missing", ["NO_SUCH_SECRET"])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, "application/json", b'{"experiments": [{"artifact_location": "s3://b/0"}]}'), ""),
        ((200, "text/html", b"<html>"), "not-json"),
        (
            (503, "application/json", b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "postgresql://u:hush@h"}'),
            "status-503",
        ),
        ((401, "text/plain", b"no"), "status-401"),
    ],
)
def test_mlflow_is_judged_by_what_it_reads(
    rungs: ModuleType, http: Callable[..., str], answer: tuple[int, str, bytes], code: str
) -> None:
    """Status, error code and media type; passwords in its words are masked."""
    url = http({"/api/2.0/mlflow/experiments/search": answer, "/version": (200, "text/plain", b"3.4.0")})

    told_so = rungs.run("tracking.read", {"url": {"is": url}})

    assert (told_so["error"] or {}).get("code", "") == code
    assert told_so["facts"]["version"] == "3.4.0"
    assert "hush" not in json.dumps(told_so)


def test_an_http_service_answers_below_500(rungs: ModuleType, http: Callable[..., str]) -> None:
    """Any answer is one, but for a server's error."""
    url = http({"/ill": (503, "text/plain", b"")})

    assert rungs.run("http.get", {"url": {"is": f"{url}/absent"}})["ok"]
    assert rungs.run("http.get", {"url": {"is": f"{url}/ill"}})["error"]["code"] == "status-503"


def test_a_module_is_looked_for_and_not_run(rungs: ModuleType) -> None:
    """What is on the path is found; what is not is said so; a rung that stumbles says that it did."""
    assert rungs.run("image.module", {"module": "json"})["ok"]
    assert rungs.run("image.module", {"module": "no_such_module_here.x"})["error"]["code"] == "module-missing"
    assert rungs.run("image.module", {})["error"]["code"] == "broken"
    assert rungs.run("image.module", {"module": "hypothesis.strategies"})["ok"]
    assert rungs.run("image.module", {"module": "hypothesis.no_such_part"})["error"]["code"] == "not-in-package"
    assert rungs.is_recorded("hypothesis.strategies")


def test_a_file_of_the_services_own_may_hide_a_package(
    rungs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name leads to the file that comes first; the installed package of that name is not what the program gets."""
    (tmp_path / "certifi.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "certifi")
    found = rungs.run("image.module", {"module": "certifi"})

    assert found["error"]["code"] == "shadowed"
    assert found["facts"]["path"] == str(tmp_path / "certifi.py")


def test_parts_of_a_login_that_others_share_are_no_link_of_a_server_that_has_an_address() -> None:
    """An env file for all gives MLflow's server the registry's settings too; without a password beside them it uses its own address."""
    shared = {"DB_HOST": "pg", "DB_NAME": "x", "MLFLOW_BACKEND_STORE_URI": "postgresql://u:p@pg:5432/x"}
    server = {"command": ["mlflow", "server"]}

    assert [link.setting for link in linked(shared, app=server, pg={})] == ["MLFLOW_BACKEND_STORE_URI"]
    assert len(linked(shared, pg={})) == 2
    assert len(linked(shared | {"DB_PASSWORD": "p"}, app=server, pg={})) == 2


def test_a_database_that_an_env_file_tells_of_the_store_does_not_ask_it() -> None:
    """It has no keys, and none of the registry's settings; one that has keys may keep its archive there."""
    shared = {"POSTGRES_USER": "a", "POSTGRES_DB": "a", "S3_ENDPOINT_URL": "http://store:9000"}

    assert linked(shared, store={}) == []
    assert [link.target for link in linked(shared | {"AWS_ACCESS_KEY_ID": "k"}, store={})] == ["store"]
    assert [link.kind for link in linked(shared | {"DB_HOST": "pg"}, store={})] == [Kind.DATABASE, Kind.STORE]


def test_migrations_are_read_without_running_them(rungs: ModuleType, tmp_path: Path) -> None:
    """Revision and what it follows, from the text alone."""
    (tmp_path / "one.py").write_text('revision = "a"\ndown_revision = None\nraise SystemExit\n')
    (tmp_path / "two.py").write_text('revision: str = "b"\ndown_revision = ("a", "c")\n')
    (tmp_path / "env.py").write_text("x = 1\n")

    assert rungs.revisions(tmp_path) == {"a": set(), "b": {"a", "c"}}


@pytest.mark.parametrize(
    ("printed", "code", "path"),
    [
        ("yes 2048 /data\nyes 10 /other\n", "", ""),
        ("yes 2048 /data\nno 10 /other one\n", "unwritable", "/other one"),
        ("no 0 /data\n", "no-room", "/data"),
        ("yes  /data\n", "", ""),
    ],
)
def test_what_a_shell_printed_of_folders_is_read(printed: str, code: str, path: str) -> None:
    """Room before right: on a full disk nothing can be made either. Where there is no `df`, the right alone is told."""
    answer = told_of_folders(printed)

    assert answer["ok"] == (not code)
    assert str((answer["error"] or {}).get("code") or "") == code
    assert answer["facts"].get("path", "") == path
    assert answer["facts"]["rooms"].get("/data", 2048 * 1024) in {0, 2048 * 1024}


def test_an_address_that_is_no_url_is_a_setting_that_is_invalid(rungs: ModuleType) -> None:
    """A port that is no number is told as what it is; it is no stumbling of the rung."""
    with pytest.raises(rungs.RungError) as told_so:
        rungs.ask("GET", "http://server:port/health")

    assert told_so.value.code == "setting-invalid"


def test_a_service_that_listens_on_ipv6_alone_is_asked_there(
    rungs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address with colons stands in brackets."""
    asked: list[str] = []

    def ask(method: str, url: str, *, limit: float) -> None:
        asked.append(f"{method} {url}")
        raise rungs.RungError("refused", f"nobody, within {limit:g} s")

    monkeypatch.setattr(rungs, "ports_listening", lambda _: {"listening": [{"address": "::1", "port": 9000}]})
    monkeypatch.setattr(rungs, "ask", ask)

    answers = rungs.service_answers({})["answers"]

    assert asked[0].startswith("GET http://[::1]:9000/")
    assert answers[0]["code"] == "refused"


def test_what_a_wrapper_gave_the_program_counts(tmp_path: Path) -> None:
    """The environment is that of the program behind init and shells, as far as it differs from the container's."""
    given = {1: ("docker-init", "7 9", "A=1"), 7: ("sh", "12", "A=1"), 9: ("cron", "", "D=4"), 12: ("mlflow", "13", "")}
    for number, (comm, children, environ) in given.items():
        place = tmp_path / str(number)
        (place / "task" / str(number)).mkdir(parents=True)
        (place / "comm").write_text(f"{comm}\n", encoding="utf-8")
        (place / "task" / str(number) / "children").write_text(f"{children} ", encoding="utf-8")
        (place / "environ").write_text(environ or "A=1\0B=3\0C=x=y\0SHLVL=2\0PWD=/\0", encoding="utf-8")

    told_so = subprocess.run(["sh", "-c", GIVEN, "sh", str(tmp_path)], capture_output=True, text=True, check=True)

    assert settings_in(told_so.stdout, {"A": "1", "B": "2"}) == {"B": "3", "C": "x=y"}


def test_what_a_program_was_given_is_part_of_its_settings() -> None:
    """A link that only a wrapper's own setting names is a link."""
    story = told()
    story.tell("environment", "tracker", {"BACKEND": "postgresql://app:[redacted]@elsewhere:5432/app"})

    found = [(link.host, link.setting) for link in Seen(story.done()).links if link.caller == "tracker"]

    assert ("elsewhere", "BACKEND") in found


def test_a_caller_trusts_what_its_settings_name(
    rungs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of certificates counts whether a variable or the URL names it; one that is not there is no stumbling."""
    for name in rungs.TRUST:
        monkeypatch.delenv(name, raising=False)
    system = len(rungs.trusting().get_ca_certs())
    bundle = tmp_path / "ca.crt"
    bundle.write_text(certifi.contents(), encoding="ascii")

    by_url = rungs.trusting(f"rediss://queue:6379/0?ssl_ca_certs={bundle}")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))

    assert len(by_url.get_ca_certs()) > 0
    assert len(rungs.trusting().get_ca_certs()) >= max(system, 1)
    assert rungs.trusting("rediss://queue/0?ssl_ca_certs=/nowhere&ssl_cert_reqs=none").verify_mode is ssl.CERT_NONE
