"""A credential is known by its setting's name and its value's form; switches, places and references are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.credentials import DEFAULTS, in_command, in_url, is_known, is_secret, kind_of

DEFAULT, INLINE = "default-credentials", "inline-credentials"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("POSTGRES_PASSWORD", True),
        ("PASSWORD", True),
        ("DB_PASS", True),
        ("PGPASSWORD", True),
        ("REDISCLI_AUTH", True),
        ("REDIS_AUTH", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("API_KEYS", True),
        ("API_KEY", True),
        ("HF_TOKEN", True),
        ("JWT_SECRET", True),
        ("SECRET_KEY_BASE", True),
        ("SIGNING_KEY", True),
        ("DB_PASSWORD_PROD", True),
        ("xpack.security.password", True),
        ("springPassword", True),
        ("COMPASS", False),
        ("BYPASS", False),
        ("POSTGRES_PASSWORD_FILE", False),
        ("SECRET_NAME", False),
        ("TOKENIZERS_PARALLELISM", False),
        ("MAX_TOKENS", False),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", False),
        ("TOKEN_TTL", False),
        ("A_TOKEN_URL", False),
        ("PASSWORD_MIN_LENGTH", False),
        ("CORS_ALLOW_CREDENTIALS", False),
        ("PARTITION_KEY", False),
        ("AWS_ACCESS_KEY_ID", False),
        ("MINIO_ROOT_USER", False),
        ("AUTHOR", False),
    ],
)
def test_a_secret_is_known_by_the_end_of_its_name(name: str, secret: bool) -> None:
    """What is said about a secret (its file, its length, its life) is none; nor is who asks."""
    assert is_secret(name) == secret
    assert is_secret(name.lower()) == secret


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("DB_PASSWORD", "mlflow", DEFAULT),
        ("DB_PASSWORD", "MLflow", DEFAULT),
        ("DB_PASSWORD", "mlflow_password", DEFAULT),
        ("DB_PASSWORD", "Passw0rd123!", DEFAULT),
        ("DB_PASSWORD", "change-me", DEFAULT),
        ("DB_PASSWORD", "supersecret", DEFAULT),
        ("SECRET_KEY", "dev-secret-key", DEFAULT),
        ("DB_PASSWORD", "kq8z", INLINE),
        ("DB_PASSWORD", "98217341", INLINE),
        ("DB_PASSWORD", "secretly-chosen-9f2", INLINE),
        ("DB_PASSWORD", "", ""),
        ("DB_PASSWORD", "$INNER", ""),
        ("USE_SECRET", "true", ""),
        ("VAULT_TOKEN", "vault:kv/token", ""),
        ("APP_SECRET", "arn:aws:secretsmanager:eu:1:secret:x", ""),
        ("APP_SECRET", "https://vault/secret", ""),
        ("APP_SECRET", "https://u:p@vault/secret", INLINE),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/run/secrets/gcp.json", ""),
        ("MINIO_ROOT_USER", "minioadmin", DEFAULT),
        ("AWS_ACCESS_KEY_ID", "minioadmin", DEFAULT),
        ("AWS_ACCESS_KEY_ID", "mlflow", ""),
        ("MINIO_ROOT_USER", "registry", ""),
        ("POSTGRES_USER", "postgres", ""),
        ("LEVEL", "secret", ""),
        ("DB_PASSWORD", "{DB_PASSWORD}", ""),
        ("DB_PASSWORD", "%(password)s", ""),
        ("DB_PASSWORD", "{9f2kq8z", INLINE),
    ],
)
def test_what_is_wrong_with_a_value_follows_from_name_and_value(name: str, value: str, kind: str) -> None:
    """Known to everybody, standing in the file, or nothing."""
    assert kind_of(name, value) == kind


@given(st.sampled_from(sorted(DEFAULTS)), st.sampled_from(["upper", "lower", "title"]))
def test_a_known_value_is_known_in_any_case(value: str, how: str) -> None:
    """However it is written."""
    assert is_known(getattr(value, how)())


@given(st.text(alphabet="0123456789abcdef", min_size=24, max_size=64))
def test_a_made_secret_is_not_known(value: str) -> None:
    """Hex digits as a generator makes them."""
    assert not is_known(value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("serve --requirepass kq8z", [("requirepass", "kq8z")]),
        ("serve --requirepass=kq8z", [("requirepass", "kq8z")]),
        ("serve --masterauth 'kq8z'", [("masterauth", "kq8z")]),
        ("serve --requirepass ${P:-redis}", [("requirepass", "${P:-redis}")]),
        ("redis-cli -h q -a kq8z ping", [("redis-cli -a", "kq8z")]),
        ("mc alias set s http://s:9000 me kq8z", [("mc alias set", "kq8z")]),
        ("mc config host add s http://s:9000 me kq8z", [("mc alias set", "kq8z")]),
        ("PGPASSWORD=kq8z psql", [("PGPASSWORD", "kq8z")]),
        ("serve --password kq8z --token=t1", [("password", "kq8z"), ("token", "t1")]),
        ("create secret of kq8z", []),
        ("serve --password-file /run/secrets/x", []),
        ("serve --app-name basic-auth", []),
        ("serve", []),
    ],
)
def test_secrets_of_a_command_line_are_found(text: str, found: list[tuple[str, str]]) -> None:
    """By the option or variable that they are given to, and where clients take them by place."""
    assert list(in_command(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("redis://:kq8z@q", ["kq8z"]),
        ("a postgresql://u:${P:-x}@d/b and redis://u:y@q", ["${P:-x}", "y"]),
        ("http://host:80/a@b", []),
        ("http://u@host", []),
    ],
)
def test_passwords_of_urls_are_found(text: str, found: list[str]) -> None:
    """Each of a text, as it stands."""
    assert list(in_url(text)) == found
