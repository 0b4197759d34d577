"""The database answers from where the services stand, and holds what they say they wrote."""

from uuid import uuid4

import pytest

from fixtures.http import Http
from fixtures.process import Process
from fixtures.witnesses import Database
from suites.wording import exchange


@pytest.mark.verifies("database")
def test_the_services_own_credentials_write_and_read(inside: Process) -> None:
    """The service's own database credentials write a row and read it back, from the service's own place in the network."""
    reply = inside.call("database_round_trip")

    assert reply.error is None, exchange(
        "write a row and read it back with DB_HOST, DB_NAME, DB_USER and DATABASE_PASSWORD",
        "the database, from inside the API's container",
        expected="the row that was written",
        got=str(reply.error),
        do="compare these settings of the API with the database's own user, password and name",
    )
    assert reply.result["read"] == reply.result["wrote"], exchange(
        "read back the row just written",
        f"{reply.result['host']}, as {reply.result['user']}",
        expected=reply.result["wrote"],
        got=reply.result["read"],
        do="look at what answers under that host name",
    )


@pytest.mark.verifies("database")
def test_the_service_and_mlflow_share_the_witnessed_server(inside: Process, database: Database) -> None:
    """The database that the service's settings lead to is the one that holds MLflow's tables."""
    reply = inside.call("database_round_trip")
    tables = database.rows("SELECT current_database() AS name, to_regclass('model_versions') IS NOT NULL AS registry")

    assert reply.error is None, exchange(
        "which database its settings lead to",
        "the API's container",
        expected="a name",
        got=str(reply.error),
        do="mend DB_HOST, DB_NAME, DB_USER or DATABASE_PASSWORD of the API",
    )
    assert tables.error is None, exchange(
        "which database it is, and whether model_versions is there",
        "psql in the database's container",
        expected="one row",
        got=str(tables.error),
        do="look at the database's own log",
    )
    assert tables.rows[0]["registry"] in {True, "t", "true"}, exchange(
        "to_regclass('model_versions')",
        "psql in the database's container",
        expected="the table",
        got=tables.rows,
        do="look at the tracking server's log: it makes its tables when it starts",
    )


@pytest.mark.verifies("database")
def test_a_rest_write_is_a_row(tracking: Http, database: Database) -> None:
    """What MLflow says it wrote is a row that the database itself shows."""
    name = f"airworthy-{uuid4().hex}"
    made = tracking.post("/api/2.0/mlflow/experiments/create", json={"name": name})

    assert made.status == 200, exchange(
        "create an experiment",
        "MLflow",
        expected="200 and an experiment_id",
        got=str(made),
        do="look at the tracking server's log for the database's words",
    )
    rows = database.rows(f"SELECT experiment_id, lifecycle_stage FROM experiments WHERE name = '{name}'")  # noqa: S608  our own hex
    tracking.post("/api/2.0/mlflow/experiments/delete", json={"experiment_id": made.json["experiment_id"]})
    assert rows.error is None, exchange(
        f"the row of experiment {name}",
        "psql in the database's container",
        expected="one row",
        got=str(rows.error),
        do="look at the database's own log",
    )
    assert [str(row["experiment_id"]) for row in rows.rows] == [str(made.json["experiment_id"])], exchange(
        f"the row of experiment {name}",
        "psql in the database's container",
        expected=f"one row with experiment_id {made.json['experiment_id']}",
        got=rows.rows,
        do="MLflow writes elsewhere than to this database: look at its backend store URI",
    )
