"""Put what the station kept before into database, queue and store, once: other people's tables, keys and objects."""

import json
import os

import boto3
import psycopg2
import redis
from botocore.config import Config

TABLES = """
CREATE SCHEMA weather;
CREATE TABLE weather.masts (id integer PRIMARY KEY, name text NOT NULL UNIQUE, metres numeric(6, 2));
INSERT INTO weather.masts SELECT n, 'mast ' || n, 10 + n * 1.5 FROM generate_series(1, 24) AS n;
CREATE TABLE weather.observations (
    id bigserial PRIMARY KEY, mast integer NOT NULL REFERENCES weather.masts, at timestamptz NOT NULL, kelvin real, hpa real
);
INSERT INTO weather.observations (mast, at, kelvin, hpa)
SELECT 1 + n % 24, timestamptz '2017-06-01 00:00+12:45' + n * interval '7 hours', 273 + n % 17, 990 + n % 40
FROM generate_series(1, 900) AS n;
CREATE VIEW weather.coldest AS SELECT mast, min(kelvin) AS kelvin FROM weather.observations GROUP BY mast;

CREATE SCHEMA lims;
CREATE TYPE lims.state AS ENUM ('taken', 'thawed', 'measured', 'discarded');
CREATE TABLE lims.samples (code text PRIMARY KEY, state lims.state NOT NULL, taken date NOT NULL, notes jsonb NOT NULL DEFAULT '{}');
INSERT INTO lims.samples (code, state, taken, notes)
SELECT 'ice-' || n, (enum_range(NULL::lims.state))[1 + n % 4], date '2018-01-01' + n, jsonb_build_object('box', n % 30)
FROM generate_series(1, 500) AS n;
-- the laboratory's own words for things; none of them is MLflow's
CREATE TABLE lims.experiments (experiment_id serial PRIMARY KEY, name text UNIQUE, lifecycle_stage text);
INSERT INTO lims.experiments (name, lifecycle_stage) SELECT 'drilling ' || n, 'closed' FROM generate_series(1, 40) AS n;
CREATE TABLE lims.runs (run_uuid text PRIMARY KEY, experiment_id integer REFERENCES lims.experiments, status text);
INSERT INTO lims.runs SELECT md5(n::text), 1 + n % 40, 'KILLED' FROM generate_series(1, 300) AS n;
CREATE TABLE lims.model_versions (name text, version integer, source text, PRIMARY KEY (name, version));
INSERT INTO lims.model_versions SELECT 'pump ' || n % 9, n, 'drawer ' || n FROM generate_series(1, 120) AS n;

CREATE SCHEMA archive;
CREATE TABLE archive.done AS SELECT now() AS at;
"""
OLD_DATABASE = """
CREATE TABLE diary (day date PRIMARY KEY, entry text);
INSERT INTO diary SELECT date '2019-04-01' + n, 'wind, snow, day ' || n FROM generate_series(1, 180) AS n;
"""


def rows() -> None:
    """Schemas of others in the same database, and a database of its own that nobody has opened for years."""
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
    admin = psycopg2.connect("")
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = 'winter_2019'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE DATABASE winter_2019")
    admin.close()
    with psycopg2.connect(dbname="winter_2019") as connection, connection.cursor() as cursor:
        cursor.execute(OLD_DATABASE)


def keys() -> None:
    """Keys of every kind in the same database of Redis, some of them called nearly like the queue."""
    server = redis.Redis.from_url(os.environ["ARCHIVE_QUEUE"])
    pipeline = server.pipeline(transaction=False)
    for number in range(300):
        pipeline.set(f"weather:last:{number}", json.dumps({"kelvin": 260 + number % 20}))
    for number in range(150):
        pipeline.hset(f"lims:sample:{number}", mapping={"state": "thawed", "box": number % 30})
    for number in range(200):
        pipeline.xadd("telemetry:raw", {"mast": number % 24, "hpa": 990 + number % 40})
        pipeline.zadd("lims:age", {f"ice-{number}": number})
    for number in range(60):
        pipeline.lpush("model_ready_queue", json.dumps({"pump": number}))
        pipeline.lpush("lims:model_ready_queue:dlq", json.dumps({"pump": number, "lost": True}))
        pipeline.sadd("station:crew", f"person {number}")
    pipeline.set("station:door", "open", ex=30 * 86400)
    pipeline.execute()


def objects() -> None:
    """Buckets of others in the same store."""
    config = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 3})
    store = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"], config=config)
    there = {bucket["Name"] for bucket in store.list_buckets()["Buckets"]}
    for bucket, count, size in (("weather-archive", 180, 2000), ("lims-exports", 90, 500), ("disk-images", 4, 700_000)):
        if bucket not in there:
            store.create_bucket(Bucket=bucket)
        for number in range(count):
            key = f"{2017 + number % 9}/models/{number:04}/artifacts/Messung {number} – māuiui.bin"
            store.put_object(Bucket=bucket, Key=key, Body=bytes([number % 256]) * size)


def main() -> None:
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('archive.done')")
        if cursor.fetchone()[0] is not None:
            print("the archive is in place already")
            return
    objects()
    keys()
    rows()
    print("the archive is in place")


main()
