"""What a command's exit status can tell is read from its text: what hides a failure is found, what is sound is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.shell import cannot_fail, is_public, script_of, swallowed

ASKS = "it asks the service nothing"
LAST = "its last word is always a success"
TURNED = "a failure is turned into a success"
CURL = "curl without --fail is content with any status"
STATUS = "the answer's status is not looked at"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("CMD-SHELL ask || { true; }", TURNED),
        ("CMD-SHELL ask || (echo no; exit 0)", TURNED),
        ("CMD-SHELL ask || { echo no; exit 1; }", ""),
        ("CMD-SHELL ask || (echo no && exit 1)", ""),
        ("CMD-SHELL ask || true\n", TURNED),
        ("CMD-SHELL ask ||\n true", TURNED),
        ("CMD-SHELL ask || true; ask again", ""),
        ("CMD-SHELL echo 'a || true' && ask", ""),
        ("CMD-SHELL ask || sleep 1", TURNED),
        ("CMD sh -c 'ask || exit 0'", TURNED),
        ("CMD /bin/sh -c exit 0", ASKS),
        ('CMD bash -lc "ask; exit 0"', LAST),
        ("CMD-SHELL ask; exit 0", LAST),
        ("CMD-SHELL ask & true", LAST),
        ("CMD-SHELL ask\ntrue", LAST),
        ("CMD-SHELL set -e; ask; exit 0", ""),
        ("CMD sh -ec 'ask; exit 0'", ""),
        ("CMD-SHELL ask || exit 1; exit 0", ""),
        ("CMD-SHELL if ask; then exit 0; else exit 1; fi", ""),
        ("CMD-SHELL if ask; then exit 0; else exit $$status; fi; true", ""),
        ("CMD-SHELL ask && echo ok", ""),
        ("CMD-SHELL ask && exit 0", ""),
        ("CMD-SHELL ask | cat", "cat behind the pipe is content with any answer"),
        ("CMD-SHELL set -o pipefail; ask | cat", ""),
        ("CMD bash -o pipefail -c 'ask | cat'", ""),
        ("CMD-SHELL ask | tee /dev/stderr | grep -q ok", ""),
        ("CMD-SHELL ps aux | grep serve", "grep finds itself among the processes"),
        ("CMD-SHELL ps aux | grep -q 'serve'", "grep finds itself among the processes"),
        ("CMD-SHELL ps aux | grep '[s]erve'", ""),
        ("CMD-SHELL ps aux | grep serve | grep -v grep", ""),
        ("CMD ls", ASKS),
        ("CMD ls /run/ready", ""),
        ("CMD test 1 = 1", ASKS),
        ("CMD test -f /run/ready", ""),
        ("CMD kill -0 1", ASKS),
        ("CMD kill -0 7", ""),
        ("CMD redis-cli --version", ASKS),
        ("CMD redis-cli ping", ""),
        ("CMD python -c print('ok')", ASKS),
        ("CMD python3 -c 'import mlflow'", ASKS),
        ("CMD python -c import sys; sys.exit(0)", ASKS),
        ("CMD python -c import u; u.urlopen('http://localhost')", ""),
        ("CMD python -c 'try: ask()\nexcept Exception: pass'", TURNED),
        ("CMD python -c 'try: ask()\nexcept: pass\nelse: exit(1)'", ""),
        ("CMD python -c import requests; requests.get('http://localhost')", STATUS),
        ("CMD python -c import requests; requests.get('http://localhost').raise_for_status()", ""),
        ("CMD-SHELL python -c 'ask()' || true", TURNED),
        ("CMD curl -sS http://localhost || exit 1", CURL),
        ("CMD curl -sSf http://localhost || exit 1", ""),
        ("CMD curl --fail-with-body http://localhost", ""),
        ("CMD-SHELL exec curl http://localhost", CURL),
        ("CMD wget -q --spider http://localhost", ""),
        ("CMD-SHELL ask # || true", ""),
        ("CMD-SHELL ask >/dev/null 2>&1", ""),
        ("CMD-SHELL", ""),
        ("", ""),
    ],
)
def test_a_health_check_that_cannot_fail_is_told_by_why(command: str, why: str) -> None:
    """The reason, and no reason where its status is that of the question."""
    assert cannot_fail(command) == why


@pytest.mark.parametrize(
    ("script", "hidden"),
    [
        ("mc mb s/b || true", "job"),
        ("mc mb s/b || :", "job"),
        ("mc mb s/b || exit 0", "job"),
        ("mc mb s/b || { echo there; }", "job"),
        ("mc mb s/b || { echo no; exit 1; }", ""),
        ("mc mb s/b || echo there", "job"),
        ("mc mb s/b || echo there; mc ls s/b", ""),
        ("set -e; mc mb s/b || true", "job"),
        ("createdb app || true; alembic upgrade head", "step"),
        ("createdb app || true; alembic upgrade head; exit 0", "job"),
        ("createdb app || true; serve", "job"),
        ("mc mb s/b || true; mc mb s/c || true", "job"),
        ("rm -rf /tmp/x || true; mc mb s/b", ""),
        ("mc rb s/old || true; mc mb s/b", ""),
        ("mc mb s/b; exit 0", "job"),
        ("mc mb s/b; echo done", "job"),
        ("mc mb s/b\necho done\n", "job"),
        ("mc mb s/b && echo done", ""),
        ("set -e; mc mb s/b; echo done", ""),
        ("set -o errexit; mc mb s/b; echo done", ""),
        ("sh -ec 'mc mb s/b; echo done'", ""),
        ("sh -o errexit -c 'mc mb s/b; echo done'", ""),
        ("sh -c 'mc mb s/b; echo done'", "job"),
        ('/bin/sh -c " mc mb s/b; echo \\"done\\"; "', "job"),
        ("mc mb s/b || exit 1; echo done", ""),
        ("if mc ls s/b; then exit 0; fi; mc mb s/b", ""),
        ("until mc ready s; do sleep 1; done; mc mb s/b", ""),
        ("alembic upgrade head | tee log", "job"),
        ("set -o pipefail; alembic upgrade head | tee log", ""),
        ("alembic current | grep head", ""),
        ("trap 'exit 0' EXIT; alembic upgrade head", "job"),
        ("trap 'rm x' EXIT; alembic upgrade head", ""),
        ("set +e; alembic upgrade head; create-admin", "job"),
        ("set +e; alembic upgrade head", ""),
        ("set +e; alembic upgrade head; code=$$?; cleanup; exit $$code", ""),
        ("python -c 'try: make()\nexcept Exception: pass'", "job"),
        ("python -c 'try: make()\nexcept AlreadyThere: pass'", ""),
        ("mkdir -p /data; echo done", ""),
        ("echo done", ""),
        ("", ""),
    ],
)
def test_a_job_that_hides_its_failures_is_told_from_one_that_does_not(script: str, hidden: str) -> None:
    """The whole job, or a step of it; a failure that is told, or needs no telling, is no hiding."""
    assert swallowed(script, is_job=True) == hidden


@pytest.mark.parametrize(
    ("script", "hidden"),
    [
        ("serve || true", ""),
        ("serve; echo done", ""),
        ("serve | tee log", ""),
        ("mkdir /x || true; exec serve", ""),
        ("alembic upgrade head || true; exec serve", "job"),
        ("python /opt/make_bucket.py || true; exec serve", "job"),
        ("serve --init=yes || true", ""),
    ],
)
def test_a_server_may_end_as_it_likes_but_prepares_aloud(script: str, hidden: str) -> None:
    """What is no job is judged by what it does before it serves."""
    assert swallowed(script, is_job=False) == hidden


WORDS = st.text(alphabet="abcdefgh ./-_", min_size=1).filter(lambda text: text.strip(" ./-_") != "")


@given(WORDS)
def test_a_failure_that_is_turned_is_found_whatever_is_asked(words: str) -> None:
    """No health check, whatever it asks, can fail behind `|| true`; quoted, the words are no operator."""
    assert cannot_fail(f"CMD-SHELL {words} || true") != ""
    assert cannot_fail(f"CMD-SHELL ask{words} '|| true'") == ""


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_a_script_is_its_commands(words: list[str]) -> None:
    """Each simple command is found once, in its order, whatever stands between them; a wrapping shell changes nothing."""
    text = "; ".join(words)
    bare = [word.strip() for word in words]

    assert [row.text for row in script_of(text).commands] == bare
    assert [row.text for row in script_of(f"sh -c '{text}'").commands] == bare
    assert [row.before for row in script_of(text).commands] == ["", *[";"] * (len(words) - 1)]


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("mc anonymous set download s/b", True),
        ("mc anonymous set --recursive public s/b", True),
        ("mc anonymous --insecure set upload s/b", True),
        ("mc policy public s/b", True),
        ("mc anonymous set private s/b", False),
        ("mc anonymous set none s/b", False),
        ("mc admin policy attach s readwrite --user u", False),
        ("s3cmd setacl --acl-public s3://b", True),
        ("aws s3api put-bucket-acl --grant-read uri=http://acs.amazonaws.com/groups/global/AllUsers", True),
        ("put(ACL='public-read-write')", True),
        ("mc mb s/b # never mc anonymous set public", False),
        ('{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}', True),
        ('{"Effect": "Deny", "Principal": "*", "Action": "s3:*"}', False),
        ("{'Effect': 'Allow', 'Principal': {'AWS': '*'}}", True),
        ('[{"Effect": "Deny", "Principal": {"AWS": ["*"]}}, {"Effect": "Allow", "Principal": "*"}]', True),
        ('[{"Principal": "*", "Effect": "Deny"}, {"Effect": "Allow", "Principal": "me"}]', False),
        ('{"Principal": {"AWS": "arn:aws:iam::1:user/me"}}', False),
        ('[{"Effect": "Deny", "Principal": "me"}, {"Condition": {"a": {"b": 1}}, "Principal": "*"}]', True),
        ('[{"Principal": "*", "Condition": {"a": {"b": 1}}}, {"Effect": "Deny", "Principal": "me"}]', True),
        ('[{"Effect": "Deny", "Condition": {"a": {"b": 1}}, "Principal": "*"}, {"x": 1}]', False),
        ('[{"x": 1}, {"Principal": "*", "Condition": {"a": {"b": 1}}, "Effect": "Deny"}]', False),
        ('{"Effect": "Deny", {"Principal": "*"', True),
    ],
)
def test_a_bucket_for_everybody_is_told_from_a_private_one(text: str, is_open: bool) -> None:
    """By the client's command, by an access list, by a policy that allows; one that denies everybody closes."""
    assert is_public(text) == is_open


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('sh -c "echo \\"a;b\\"; ask"', 'echo "a;b"'),
        ("sh -c 'echo \\\"a; ask'", 'echo \\"a'),
        ('sh -c "ask', '"ask'),
        ("ask $$A", "ask $A"),
        ("ask \\\n more; rest", "ask   more"),
    ],
)
def test_a_script_is_read_as_the_shell_would(text: str, first: str) -> None:
    """Quotes around it go, and what they escaped is plain; `$$` is one `$`; a line that goes on is one."""
    assert script_of(text).commands[0].text == first
