"""The configuration: what is taken, what is refused with which key, what is said to be unused."""

from typing import Any

import pytest

from headrace.connect.api import ConfigError, ConfigValue
from headrace.jdbc.source import config as configs
from headrace.jdbc.source.connector import JdbcSourceConnector

TUTORIAL = {
    "name": "postgres-source-connector",
    "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
    "connection.url": "jdbc:postgresql://postgres-server:5432/mydatabase",
    "connection.user": "myuser",
    "connection.password": "mypassword",
    "table.whitelist": "iris_data",
    "topic.prefix": "postgres-source-",
    "topic.creation.default.partitions": 1,
    "topic.creation.default.replication.factor": 1,
    "mode": "incrementing",
    "incrementing.column.name": "id",
    "tasks.max": 2,
}


def errors(**changes: Any) -> dict[str, list[str]]:
    properties = {**TUTORIAL, **{name.replace("_", "."): value for name, value in changes.items()}}
    given = {name: value for name, value in properties.items() if value is not None}
    return {value.name: value.errors for value in JdbcSourceConnector.validate(given) if value.errors}


def test_the_tutorials_file_is_valid_as_it_stands() -> None:
    assert errors() == {}
    parsed = configs.parse(TUTORIAL)
    assert (parsed.mode, parsed.incrementing, parsed.poll_interval_ms, parsed.max_rows) == (
        "incrementing",
        "id",
        5000,
        None,
    )


def test_the_password_is_shown_to_nobody() -> None:
    assert "mypassword" not in repr(configs.parse(TUTORIAL))
    shown = [value for value in JdbcSourceConnector.validate(TUTORIAL) if value.name == "connection.password"]
    assert shown == [ConfigValue("connection.password", shown[0].value)] and str(shown[0].value) == "[hidden]"


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"connection_url": None}, "connection.url", "connection.url is missing"),
        ({"connection_url": "jdbc:oracle:thin:@h"}, "connection.url", "no dialect for oracle"),
        ({"mode": None}, "mode", "one of bulk, timestamp, incrementing, timestamp+incrementing"),
        ({"mode": "sometimes"}, "mode", "Invalid value sometimes"),
        ({"table_whitelist": None}, "table.whitelist", "nothing to copy"),
        ({"table_whitelist": "a.t,b.t"}, "table.whitelist", "tables a.t and b.t would share a topic"),
        ({"table_whitelist": "a.b.c.d"}, "table.whitelist", "'a.b.c.d' is no table name"),
        ({"table_blacklist": "x"}, "table.blacklist", "exclude each other"),
        ({"table_include_list": "x"}, "table.include.list", "does not go with table.whitelist"),
        ({"table_whitelist": None, "table_exclude_list": "x"}, "table.exclude.list", "needs table.include.list"),
        ({"table_whitelist": None, "table_include_list": "("}, "table.include.list", "no regular expression"),
        ({"query": "SELECT 1"}, "table.whitelist", "does not go with query"),
        ({"table_whitelist": None, "query": "DELETE FROM t"}, "query", "must be a SELECT"),
        ({"table_whitelist": None, "query_masked": "DROP TABLE t"}, "query.masked", "must be a SELECT"),
        ({"table_whitelist": None, "query": "SELECT 1", "query_masked": "SELECT 2"}, "query.masked", "exclude each"),
        (
            {"table_whitelist": None, "query": "SELECT 1", "incrementing_column_name": None},
            "incrementing.column.name",
            "with query, mode incrementing needs",
        ),
        ({"mode": "timestamp"}, "timestamp.column.name", "mode timestamp needs timestamp.column.name"),
        ({"timestamp_columns_mapping": "t:[a]"}, "timestamp.columns.mapping", "does not go with mode incrementing"),
        ({"incrementing_column_mapping": "t:a"}, "incrementing.column.mapping", "exclude each other"),
        ({"incrementing_column_mapping": "a"}, "incrementing.column.mapping", "of the form regex:column"),
        (
            {"mode": "timestamp", "timestamp_column_name": "at", "query_suffix": "limit 5"},
            "query.suffix",
            "use mode timestamp+incrementing",
        ),
        ({"topic_prefix": "a b"}, "topic.prefix", "a topic's name takes"),
        ({"topic_prefix": "a" * 250}, "topic.prefix", "at most 249"),
        ({"poll_interval_ms": "soon"}, "poll.interval.ms", "Not a number of type INT"),
        ({"batch_max_rows": "0"}, "batch.max.rows", "at least 1"),
        ({"db_timezone": "Mars/Olympus"}, "db.timezone", "no such time zone"),
        ({"numeric_mapping": "exact"}, "numeric.mapping", "must be one of"),
        ({"timestamp_granularity": "hours"}, "timestamp.granularity", "must be one of"),
        ({"quote_sql_identifiers": "sometimes"}, "quote.sql.identifiers", "must be one of"),
        ({"dialect_name": "MySqlDatabaseDialect"}, "dialect.name", "set PostgreSqlDatabaseDialect"),
        ({"transaction_isolation_mode": "CHAOS"}, "transaction.isolation.mode", "must be one of: DEFAULT, READ_UN"),
        ({"transaction_isolation_mode": "SQL_SERVER_SNAPSHOT"}, "transaction.isolation.mode", "it is SQL Server's"),
        ({"query_retry_attempts": "-2"}, "query.retry.attempts", "at least -1"),
        ({"table_types": "TABLE,VEIW"}, "table.types", "Invalid value VEIW"),
    ],
)
def test_a_fault_is_named_at_its_key(changes: dict[str, Any], key: str, says: str) -> None:
    found = errors(**changes)
    assert says in " ".join(found.get(key, [])), found


@pytest.mark.parametrize(
    "query", ["select 1", "  WITH a AS (SELECT 1) SELECT * FROM a;", "/* x */ SELECT 1", "-- x\nSELECT 1", "(SELECT 1)"]
)
def test_a_query_may_begin_in_many_ways(query: str) -> None:
    assert errors(table_whitelist=None, query=query) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_pattern": "sales"},
        {"connector_class": "io.aiven.connect.jdbc.JdbcSourceConnector"},
        {"connector_class": "com.redpanda.kafka.connect.jdbc.JdbcSourceConnector", "table_types": "TABLE,VIEW,SYNONYM"},
    ],
)
def test_a_schema_alone_or_nothing_where_its_connector_took_that_means_every_table(changes: dict[str, Any]) -> None:
    assert errors(table_whitelist=None, **changes) == {}


def test_words_are_taken_in_either_case_as_the_known_connectors_do() -> None:
    words = {"numeric.mapping": "BEST_FIT", "timestamp.granularity": "NANOS_LONG", "quote.sql.identifiers": "ALWAYS"}
    parsed = configs.parse(TUTORIAL | words)
    assert (parsed.numeric_mapping, parsed.granularity, parsed.quote) == ("best_fit", "nanos_long", True)


def test_the_old_key_of_numeric_mapping_counts_where_the_new_one_is_left_out() -> None:
    old = {"numeric.precision.mapping": "true"}
    assert [
        configs.parse(TUTORIAL | more).numeric_mapping for more in ({}, old, old | {"numeric.mapping": "none"})
    ] == [
        "none",
        "precision_only",
        "none",
    ]


def test_aivens_keys_mean_what_they_do_there() -> None:
    parsed = configs.parse(TUTORIAL | {"timestamp.initial.ms": "-1", "sql.quote.identifiers": "false"})
    assert (parsed.timestamp_initial_ms, parsed.starts_now, parsed.quote) == (-1, False, False)
    assert configs.parse(TUTORIAL | {"timestamp.initial": "-1"}).starts_now


def test_attempts_at_a_statement_are_the_keys_or_those_at_connecting() -> None:
    counts = [configs.parse(TUTORIAL | more).query_attempts for more in ({}, {"query.retry.attempts": "0"})]
    assert counts == [3, 0]
    assert configs.parse(TUTORIAL | {"query.retry.attempts": "-1"}).query_attempts is None


def test_a_task_lists_every_fault_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        configs.parse({"mode": "x"})
    assert set(caught.value.errors) == {"connection.url", "mode", "table.whitelist"}


def test_keys_of_the_known_connectors_are_taken_and_those_not_acted_on_named() -> None:
    properties = TUTORIAL | {
        "dialect.name": "PostgreSqlDatabaseDialect",
        "max.buffer.size": "3",
        "poll.linger.ms": "5000",
        "date.calendar.system": "LEGACY",
    }
    assert configs.unused(properties) == ["max.buffer.size", "date.calendar.system"]
    known = JdbcSourceConnector.config_def().keys
    for name in (
        "table.blacklist",
        "catalog.pattern",
        "date.calendar.system",
        "table.names.qualify",
        "max.buffer.size",
    ):
        assert name in known


def test_table_names_of_a_task_may_have_commas_and_quotes_in_them() -> None:
    properties = TUTORIAL | {"tables": '"a"."b,c","d""e",f.g'}
    assert configs.parse(properties).tables == ('"a"."b,c"', '"d""e"', "f.g")
