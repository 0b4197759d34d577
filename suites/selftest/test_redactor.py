"""No secret leaves: whatever form it takes on its way out."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.journal import Journal
from fixtures.redactor import MASK, Redactor, is_secret_name

SECRET = 'p"s/ü?&=\\w0rd'


@pytest.mark.parametrize(
    "form",
    [SECRET, quote(SECRET, safe=""), json.dumps(SECRET)[1:-1], base64.b64encode(SECRET.encode()).decode()],
    ids=["plain", "percent", "json", "base64"],
)
def test_a_secret_is_replaced_in_every_form(form: str) -> None:
    """Plain, percent-encoded, JSON-escaped, base64."""
    redactor = Redactor([SECRET])

    assert form not in redactor.text(f"before {form} after")


def test_a_password_in_a_url_is_replaced_though_nobody_named_it() -> None:
    """Some errors print the whole database URI."""
    text = Redactor().text("got postgresql://mlflow:hunter2@postgres:5432/db")

    assert text == f"got postgresql://mlflow:{MASK}@postgres:5432/db"


@pytest.mark.parametrize(
    "name", ["DATABASE_PASSWORD", "AWS_SECRET_ACCESS_KEY", "API_KEYS", "MINIO_ROOT_PASSWORD", "REDIS_TOKEN"]
)
def test_secret_settings_are_known_by_their_names(name: str) -> None:
    """Their values never stand in evidence."""
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["DB_HOST", "MLFLOW_S3_ENDPOINT_URL", "token_symbol", "DB_NAME", "WEBHOOK_URL"])
def test_ordinary_settings_are_kept(name: str) -> None:
    """Evidence that hides everything proves nothing."""
    assert not is_secret_name(name)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=2, max_size=40))
def test_no_secret_stands_in_a_journal(tmp_path_factory: pytest.TempPathFactory, ending: str) -> None:
    """Requests, answers and blobs: a known secret is in none of the bytes written."""
    secret = f"S3cr€t{ending}"
    folder: Path = tmp_path_factory.mktemp("bundle")
    journal = Journal(folder / "evidence", Redactor([secret]))
    journal.record(
        "http",
        "GET /",
        {"url": f"http://h/{secret}"},
        {"body": [secret, {"x": secret}]},
        {"log": f"a {secret}".encode()},
    )
    journal.close()

    assert journal.redactor.leaks(folder) == []
