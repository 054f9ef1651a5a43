"""One sink of many topics in a real worker: topics that come while it runs, schemas that change, deletes, records that
the database refuses, and configurations that it refuses itself.

Mutation that makes it fail: leave out `self._tell(by.rejected)` in `JdbcSinkTask._write`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from headrace.testing.postgres import Database
from tests.pipeline.stack import Stack, wait_until

JSON = "org.apache.kafka.connect.json.JsonConverter"
CONFIG = {
    "connector.class": "com.redpanda.kafka.connect.jdbc.JdbcSinkConnector",
    "topics.regex": "shop\\..*",
    "table.name.normalize": True,
    "insert.mode": "UPSERT",
    "pk.mode": "RECORD_KEY",
    "delete.enabled": True,
    "auto.create": True,
    "auto.evolve": True,
    "key.converter": JSON,
    "value.converter": JSON,
    "errors.tolerance": "all",
    "errors.deadletterqueue.topic.name": "refused",
    "errors.deadletterqueue.topic.replication.factor": 1,
    "errors.deadletterqueue.context.headers.enable": True,
    "tasks.max": 2,
}
Kinds = Mapping[str, str]


def message(kinds: Kinds, row: Mapping[str, Any]) -> bytes:
    """A struct as JsonConverter writes it; a kind that ends in ? is optional."""
    fields = [{"field": name, "type": kind.rstrip("?"), "optional": kind[-1] == "?"} for name, kind in kinds.items()]
    return json.dumps({"schema": {"type": "struct", "optional": False, "fields": fields}, "payload": row}).encode()


def send(stack: Stack, topic: str, kinds: Kinds, rows: Sequence[tuple[int, Mapping[str, Any] | None]]) -> None:
    producer = Producer({"bootstrap.servers": stack.broker.bootstrap, "enable.idempotence": True})
    for id, row in rows:
        value = None if row is None else message(kinds, row)
        producer.produce(topic, value, message({"id": "int32"}, {"id": id}))
    assert producer.flush(30) == 0


def refused(stack: Stack) -> list[dict[str, str]]:
    """The headers of the records in the dead letter queue; none where there is no such topic yet."""
    if "refused" not in AdminClient({"bootstrap.servers": stack.broker.bootstrap}).list_topics(timeout=10).topics:
        return []
    consumer = Consumer({"bootstrap.servers": stack.broker.bootstrap, "group.id": "look"})
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition("refused", 0), timeout=10)
        consumer.assign([TopicPartition("refused", 0, low)])
        found = []
        while len(found) < high - low:
            for letter in consumer.consume(high - low, 1.0):
                assert letter.error() is None, letter.error()
                found.append({name: (value or b"").decode() for name, value in letter.headers() or []})
        return found
    finally:
        consumer.close()


def committed(stack: Stack) -> dict[tuple[str, int], int]:
    answer = stack.rest.get("/connectors/sink/offsets").json()["offsets"]
    return {
        (at["partition"]["kafka_topic"], at["partition"]["kafka_partition"]): at["offset"]["kafka_offset"]
        for at in answer
    }


def test_many_topics_into_many_tables(stack: Stack, database: Database) -> None:
    login = {"connection.user": database.server.user, "connection.password": database.server.password}
    config = CONFIG | login | {"connection.url": database.jdbc_url}
    for fault, key in (({"pk.mode": "none"}, "pk.mode"), ({"pk.mode": "record_value"}, "delete.enabled")):
        answer = stack.rest.post("/connectors", json={"name": "sink", "config": config | fault})
        assert (answer.status_code, key in answer.json()["message"]) == (400, True), answer.text

    def complaint() -> str:
        return f"{stack.states('sink')} {stack.trace('sink')}"

    with database.connect() as connection:

        def rows(table: str) -> list[tuple[Any, ...]]:
            if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() == (None,):
                return []
            return connection.execute(f"TABLE {table} ORDER BY id".encode(), prepare=False).fetchall()

        connection.execute("CREATE TABLE shop_orders (id int PRIMARY KEY, amount int CHECK (amount > 0))")
        orders = {"amount": "int32"}
        send(stack, "shop.orders", orders, [(1, {"amount": 5}), (2, {"amount": -1}), (1, {"amount": 6}), (3, None)])
        stack.create("sink", config)
        wait_until(lambda: rows("shop_orders") == [(1, 6)], 60, complaint)
        send(stack, "shop.people", {"name": "string"}, [(1, {"name": "a"}), (2, {"name": "b"}), (1, None)])
        wait_until(lambda: rows("shop_people") == [(2, "b")], 60, complaint)
        wider = orders | {"note": "string?"}
        send(stack, "shop.orders", wider, [(4, {"amount": 7, "note": "n"}), (5, {"amount": 0, "note": None})])
        send(stack, "shop.orders", orders, [(6, {"amount": 8})])
        wait_until(lambda: rows("shop_orders") == [(1, 6, None), (4, 7, "n"), (6, 8, None)], 60, complaint)
        assert [state for state in stack.states("sink") if state != "RUNNING"] == []

    wait_until(lambda: len(refused(stack)) == 2, 60, complaint)
    letters = refused(stack)
    assert [letter["__connect.errors.offset"] for letter in letters] == ["1", "5"]
    for letter in letters:
        assert letter["__connect.errors.stage"] == "TASK_PUT"
        assert "shop_orders_amount_check" in letter["__connect.errors.exception.message"]
    stack.rest.put("/connectors/sink/stop")
    wait_until(lambda: stack.states("sink") == ["STOPPED"], 60, complaint)
    assert committed(stack) == {("shop.orders", 0): 7, ("shop.people", 0): 3}
