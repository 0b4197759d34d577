"""Draws the deployment's secrets on its first start and lays down what each consumer needs, in that consumer's own volume.

The safe holds the originals; it is mounted here and nowhere else. Started again, it draws only what the safe does not have.
"""

import secrets
from pathlib import Path

SAFE, OUT = Path("/safe"), Path("/out")
NAMES = ("database_admin", "tracking", "registry", "queue", "store_user", "store_password")


def put(path: Path, text: str, mode: int) -> None:
    """Write a file in one step."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.chmod(mode)
    fresh.replace(path)


drawn = 0
values = {}
for name in NAMES:
    original = SAFE / name
    if not original.exists():
        put(original, secrets.token_hex(10 if name == "store_user" else 24), 0o400)
        drawn += 1
    values[name] = original.read_text()

store = {"AWS_ACCESS_KEY_ID": values["store_user"], "AWS_SECRET_ACCESS_KEY": values["store_password"]}
files = {
    "database/env": {"POSTGRES_PASSWORD": values["database_admin"]},
    "database-roles/env": {
        "PGPASSWORD": values["database_admin"],
        "TRACKING_PASSWORD": values["tracking"],
        "REGISTRY_PASSWORD": values["registry"],
    },
    "queue/env": {"REDISCLI_AUTH": values["queue"]},
    "store/env": {"MINIO_ROOT_USER": values["store_user"], "MINIO_ROOT_PASSWORD": values["store_password"]},
    "tracking/env": {
        **store,
        "MLFLOW_BACKEND_STORE_URI": f"postgresql://tracking:{values['tracking']}@database:5432/tracking",
    },
    "registry/env": {
        **store,
        "DATABASE_PASSWORD": values["registry"],
        "REDIS_URL": f"redis://registry:{values['queue']}@queue:6379/0",
    },
}
for name, settings in files.items():
    # hexadecimal throughout: nothing to quote. The folder is its consumer's alone, so the file may be read by whoever is in it.
    put(OUT / name, "".join(f"export {key}={value}\n" for key, value in settings.items()), 0o444)
put(
    OUT / "queue/redis.conf",
    f"""dir /data
appendonly yes
maxmemory-policy noeviction
requirepass {values["queue"]}
user registry on >{values["queue"]} ~hokusai:* &* +@all -@admin -@dangerous +info
""",
    0o444,
)
print(f"first start: {'drawn' if drawn else 'kept'} {drawn or len(NAMES)} secrets", flush=True)
