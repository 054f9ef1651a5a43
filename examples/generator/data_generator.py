"""Makes the table iris_data where it is missing, and inserts a flower into it every second.

python data_generator.py localhost --port 5432
"""

import argparse
import csv
import itertools
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

CREATE = """
    CREATE TABLE IF NOT EXISTS iris_data (
        id serial PRIMARY KEY,
        timestamp timestamp,
        sepal_length float8,
        sepal_width float8,
        petal_length float8,
        petal_width float8,
        target int
    )"""
INSERT = """
    INSERT INTO iris_data (timestamp, sepal_length, sepal_width, petal_length, petal_width, target)
    VALUES (%s, %s, %s, %s, %s, %s)"""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Insert iris rows into a PostgreSQL table.")
    parser.add_argument("host")
    parser.add_argument("--port", type=int, default=5432)
    parser.add_argument("--user", default="myuser")
    parser.add_argument("--password", default="mypassword")
    parser.add_argument("--database", default="mydatabase")
    parser.add_argument("--seconds", type=float, default=1.0, help="between two rows")
    parser.add_argument("--rows", type=int, help="end after so many; without it, never")
    return parser.parse_args()


def flowers() -> list[list[str]]:
    with Path(__file__).with_name("iris.csv").open(encoding="ascii") as file:
        return list(csv.reader(file))[1:]


def main() -> None:
    given = options()
    with psycopg.connect(
        host=given.host,
        port=given.port,
        user=given.user,
        password=given.password,
        dbname=given.database,
        autocommit=True,
    ) as connection:
        connection.execute(CREATE)
        for flower in itertools.islice(itertools.cycle(flowers()), given.rows):
            connection.execute(INSERT, [datetime.now(UTC).replace(tzinfo=None), *flower])
            time.sleep(given.seconds)


if __name__ == "__main__":
    main()
