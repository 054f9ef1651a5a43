"""What `/config/validate` finds out by asking the database: that it can be reached, and has what the config names."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from headrace.connect.api import ConfigError, ConnectError
from headrace.jdbc import errors
from headrace.jdbc.connection import try_connect
from headrace.jdbc.dialects import PostgresDialect, TableId
from headrace.jdbc.source.config import SourceConfig
from headrace.jdbc.source.relation import describe_query, describe_table, find_table


def check_database(config: SourceConfig, tables: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(key, error) pairs; one attempt to connect, no waiting."""
    found = try_connect(config.target)
    if not isinstance(found, psycopg.Connection):
        for key in _keys_of(found.sentence):
            yield key, found.sentence
        return
    with contextlib.closing(found) as connection:
        try:
            if config.query is not None:
                describe_query(connection, PostgresDialect(), config.query, config)
        except ConnectError as error:
            yield _key_of(str(error)), str(error)
        except psycopg.Error as error:
            yield "query", errors.explain(error, "query", config.target.user)
        for name in tables:
            yield from _check_table(connection, config, name)


def _check_table(connection: "psycopg.Connection[Any]", config: SourceConfig, name: str) -> Iterator[tuple[str, str]]:
    dialect = PostgresDialect()
    try:
        table = TableId.parse(name)
        describe_table(connection, dialect, find_table(connection, dialect, table, config), config)
    except (ConnectError, ConfigError) as error:
        yield _key_of(str(error)), str(error)
    except psycopg.Error as error:
        yield "table.whitelist", errors.explain(error, f"table {name}", config.target.user)


def _keys_of(sentence: str) -> list[str]:
    """The keys that a sentence about a connection names."""
    keys = [key for key in ("connection.user", "connection.password") if key in sentence]
    return keys or ["connection.url"]


def _key_of(sentence: str) -> str:
    keys = ("incrementing.column.name", "timestamp.column.name", "table.whitelist")
    return next((key for key in keys if key in sentence), "table.whitelist")
