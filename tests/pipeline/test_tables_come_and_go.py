"""Tables that are made and dropped while a connector of a pattern runs: the worker makes its tasks anew, and no row is
lost or doubled by that.

Mutation that makes it fail: leave out `request_task_reconfiguration` in `JdbcSourceConnector._take`.
"""

import json

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from headrace.testing.postgres import Database
from tests.pipeline.stack import Stack, wait_until

CONFIG = {
    "connector.class": "com.redpanda.kafka.connect.jdbc.JdbcSourceConnector",
    "table.include.list": r"public\.kept.*,public\.dropped,public\.late",
    "topic.prefix": "many-",
    "topic.creation.default.partitions": 1,
    "topic.creation.default.replication.factor": 1,
    "mode": "incrementing",
    "poll.interval.ms": 50,
    "table.poll.interval.ms": 100,
    "tasks.max": 2,
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": False,
}
TABLES = ("kept1", "kept2", "dropped")


def ids(stack: Stack, topic: str) -> list[int]:
    """The ids in a topic, in order; none where there is no such topic."""
    if topic not in AdminClient({"bootstrap.servers": stack.broker.bootstrap}).list_topics(timeout=10).topics:
        return []
    consumer = Consumer({"bootstrap.servers": stack.broker.bootstrap, "group.id": "look"})
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
        consumer.assign([TopicPartition(topic, 0, low)])
        found: list[int] = []
        while len(found) < high - low:
            for message in consumer.consume(high - low, 1.0):
                assert message.error() is None, message.error()
                found.append(json.loads(message.value())["id"])
        return found
    finally:
        consumer.close()


def tables_of_tasks(stack: Stack) -> list[list[str]]:
    tasks = stack.rest.get("/connectors/source/tasks").json()
    return [task["config"]["tables"].split(",") for task in tasks]


def names(stack: Stack) -> list[str]:
    return sorted(name for tables in tables_of_tasks(stack) for name in tables)


def test_tables_that_come_and_go_change_the_tasks_and_lose_nothing(stack: Stack, database: Database) -> None:
    with database.connect() as connection:
        for name in TABLES:
            connection.execute(f"CREATE TABLE {name} (id serial PRIMARY KEY)".encode())
        login = {"connection.user": database.server.user, "connection.password": database.server.password}
        stack.create("source", CONFIG | login | {"connection.url": database.jdbc_url})

        def complaint() -> str:
            return f"{stack.states('source')} {stack.trace('source')} {tables_of_tasks(stack)}"

        def write() -> None:
            connection.execute("INSERT INTO kept1 DEFAULT VALUES; INSERT INTO kept2 DEFAULT VALUES")

        wait_until(lambda: stack.states("source") == ["RUNNING"] * 3, 60, complaint)
        assert sorted(map(len, tables_of_tasks(stack))) == [1, 2]
        write()
        wait_until(lambda: ids(stack, "many-kept2") == [1], 60, complaint)
        connection.execute(
            "CREATE TABLE late (id serial PRIMARY KEY); INSERT INTO late DEFAULT VALUES; DROP TABLE dropped"
        )
        write()
        wait_until(lambda: ids(stack, "many-late") == [1], 60, complaint)
        wait_until(lambda: names(stack) == ['"public"."kept1"', '"public"."kept2"', '"public"."late"'], 60, complaint)
        wait_until(lambda: stack.states("source") == ["RUNNING"] * 3, 60, complaint)
        write()
        wait_until(lambda: all(ids(stack, f"many-kept{at}")[-1:] == [3] for at in (1, 2)), 60, complaint)
        assert [ids(stack, f"many-kept{at}") for at in (1, 2)] == [[1, 2, 3]] * 2
        connection.execute("DROP TABLE kept1, kept2, late")
        wait_until(lambda: stack.states("source") == ["RUNNING"], 60, complaint)
