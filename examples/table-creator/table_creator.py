"""Makes the table iris_data in the target database, where it is missing.

python table_creator.py localhost --port 5433
"""

import argparse

import psycopg

CREATE = """
    CREATE TABLE IF NOT EXISTS iris_data (
        id int PRIMARY KEY,
        timestamp timestamp,
        sepal_length float8,
        sepal_width float8,
        petal_length float8,
        petal_width float8,
        target int
    )"""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the target's table.")
    parser.add_argument("host")
    parser.add_argument("--port", type=int, default=5432)
    parser.add_argument("--user", default="targetuser")
    parser.add_argument("--password", default="targetpw")
    parser.add_argument("--database", default="targetdatabase")
    return parser.parse_args()


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


if __name__ == "__main__":
    main()
