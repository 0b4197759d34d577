"""Bring the schema up to date before the server of this release starts; on an empty database there is nothing to do, since the
server lays out its own. Where the database is, libpq's variables say."""

import os
import subprocess
import sys

import sqlalchemy

STORE = os.environ["MLFLOW_BACKEND_STORE_URI"]


def main() -> int:
    engine = sqlalchemy.create_engine(STORE)
    is_there = sqlalchemy.inspect(engine).has_table("alembic_version")
    engine.dispose()
    if not is_there:
        print("the schema is not there yet: the server will lay it out", flush=True)
        return 0
    status = subprocess.run(["mlflow", "db", "upgrade", STORE], check=False).returncode
    print("the schema is up to date" if not status else f"the schema is not up to date: {status}", flush=True)
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except sqlalchemy.exc.SQLAlchemyError as error:
        sys.exit(f"the schema cannot be looked at: {type(error).__name__}")
