"""The producer on real brokers: what it writes is what every client reads, once and in order, whatever happens."""

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from headrace.connect.client import producer as producers
from headrace.connect.client import sender
from headrace.connect.client.accumulator import Failure, Run
from headrace.connect.client.producer import RecordProducer
from headrace.connect.records.columns import NewRecords, byte_column
from headrace.wire.errors import ErrorCode
from tests.conftest import need
from tests.connect.conftest import Brokers
from tests.connect.runtime.pipeline import Cluster, eventually
from tests.contract.broker_process import BrokerProcess, broker_process
from tests.kafka.cluster import kafka_node, run_tool

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
DEADLINE_S = 40


class Writer:
    """A producer, and what its runs came to."""

    def __init__(self, bootstrap: str, **settings: Any) -> None:
        self.producer = RecordProducer({"bootstrap.servers": bootstrap, "compression.type": "lz4", **settings})
        self.reports: list[Failure | None] = []
        self.awaited = 0
        self._changed = threading.Condition()

    def add(self, topic: str, values: list[bytes | None], partition: int = 0, **more: Any) -> None:
        self.awaited += 1
        # A broker forgets producers by the times of their records: old ones would be forgotten when it restarts.
        columns = NewRecords(byte_column(values), np.full(len(values), int(time.time() * 1000)), **more)
        self.producer.add(topic, partition, Run(columns, self._done))

    def _done(self, failure: Failure | None) -> None:
        with self._changed:
            self.reports.append(failure)
            self._changed.notify_all()

    def wait(self, deadline_s: float = DEADLINE_S) -> list[Failure | None]:
        """The reports of all that was added."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.reports) >= self.awaited, deadline_s), self.reports
        return self.reports


@pytest.fixture
def writer() -> Iterator[Callable[..., Writer]]:
    """Makes writers; they are closed at the end."""
    made: list[Writer] = []

    def make(bootstrap: str, **settings: Any) -> Writer:
        made.append(Writer(bootstrap, **settings))
        return made[-1]

    yield make
    for each in made:
        began = time.monotonic()
        each.producer.close()
        assert time.monotonic() - began < 3


@pytest.fixture
def cluster(brokers: Brokers) -> Cluster:
    return Cluster(brokers.bootstrap)


def rows(count: int, start: int = 0) -> list[bytes | None]:
    return [b'{"schema":"the same in each","payload":%09d}' % number for number in range(start, start + count)]


@pytest.mark.parametrize("codec", CODECS)
def test_librdkafka_reads_every_record_in_order(cluster: Cluster, writer: Callable[..., Writer], codec: str):
    topic = cluster.create()
    made = writer(cluster.bootstrap, **{"compression.type": codec})
    values = rows(30_000)
    for start in range(0, len(values), 3_000):
        made.add(topic, values[start : start + 3_000])
    assert set(made.wait()) == {None}
    found = cluster.read(topic)
    assert [message.value() for message in found] == values
    assert all(abs(message.timestamp()[1] / 1000 - time.time()) < 60 for message in found)


def test_keys_headers_and_nulls_arrive(cluster: Cluster, writer: Callable[..., Writer]):
    topic = cluster.create(2)
    made = writer(cluster.bootstrap)
    headers = [[("a", b"1"), ("b", None)], []]
    made.add(topic, [b"v", None], partition=1, keys=byte_column([None, b"k"]), headers=headers)
    made.wait()
    first, second = cluster.read(topic)
    assert (first.partition(), first.key(), first.value(), first.headers()) == (1, None, b"v", headers[0])
    assert (second.key(), second.value(), second.headers()) == (b"k", None, None)


def test_kcat_and_javas_tools_read_every_codec(our_broker: BrokerProcess, writer: Callable[..., Writer]):
    """More than one block of each codec's framing, and bytes that do not shrink."""
    topic = Cluster(our_broker.bootstrap).create()
    noise = [np.random.default_rng(n).bytes(3_000).hex().encode() for n in range(100)]
    values: list[bytes | None] = []
    for codec in CODECS:
        made = writer(our_broker.bootstrap, **{"compression.type": codec})
        # The more batches shrink, the larger are the next ones: up to two blocks of LZ4.
        wide = [b"%06d %s" % (number, b"the same in each" * 40) for number in range(24_000 if codec == "lz4" else 0)]
        added = rows(10_000, len(values)) + wide + noise
        made.add(topic, added, keys=byte_column([b"k"] * len(added)))
        assert made.wait() == [None]
        values += added
    kcat = [need("kcat", "apt-get install kcat"), "-C", "-b", our_broker.bootstrap, "-t", topic, "-e", "-q"]
    assert subprocess.run(kcat, capture_output=True, check=True, timeout=60).stdout.splitlines() == values
    options = ("--bootstrap-server", our_broker.bootstrap, "--topic", topic, "--from-beginning")
    read = run_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *options, "--max-messages", str(len(values)))
    assert read.encode().splitlines() == values
    (segment,) = (our_broker.directory / "data").rglob(f"{topic}-0/*.log")
    dumped = run_tool("org.apache.kafka.tools.DumpLogSegments", "--deep-iteration", "--files", str(segment))
    assert dumped.count("isvalid: true") >= 5 and "isvalid: false" not in dumped
    assert all(f"compresscodec: {codec}" in dumped for codec in CODECS)
    assert dumped.count("| offset: ") == len(values)
    assert max(map(int, re.findall(r" count: (\d+)", dumped))) * 650 > 1 << 22


def test_small_batches_of_many_runs_keep_their_order(cluster: Cluster, writer: Callable[..., Writer]):
    topic = cluster.create()
    made = writer(cluster.bootstrap, **{"batch.size": "500"})
    values = rows(4_000)
    for start in range(0, len(values), 7):
        made.add(topic, values[start : start + 7])
    assert set(made.wait()) == {None}
    assert [message.value() for message in cluster.read(topic)] == values


def test_batches_larger_than_the_topic_takes_are_split(cluster: Cluster, writer: Callable[..., Writer]):
    topic = cluster.create(**{"max.message.bytes": "20000"})
    made = writer(cluster.bootstrap, **{"compression.type": "none"})
    values = rows(5_000)
    made.add(topic, values[:4_000])
    made.add(topic, values[4_000:])
    assert made.wait() == [None, None]
    assert [message.value() for message in cluster.read(topic)] == values


def test_a_record_larger_than_the_topic_takes_fails_and_what_follows_with_it(
    cluster: Cluster, writer: Callable[..., Writer]
):
    topic, other = cluster.create(**{"max.message.bytes": "1000"}), cluster.create()
    made = writer(cluster.bootstrap)
    made.add(topic, [b"a", np.random.default_rng(1).bytes(5000)])
    made.add(topic, [b"b"])
    assert {failure and failure.code for failure in made.wait()} == {ErrorCode.MESSAGE_TOO_LARGE}
    made.add(other, [b"goes on"])
    assert made.wait()[-1] is None
    assert made.producer.is_spoiled and made.producer.fatal is None


def test_a_topic_that_the_broker_does_not_create_is_told(
    tmp_path: Path, writer: Callable[..., Writer], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(producers, "UNKNOWN_S", 0.5)
    with broker_process(tmp_path, {"auto.create.topics.enable": "false"}) as broker:
        found = writer(broker.bootstrap).producer.topic("absent", lambda: None)
        assert found.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_a_name_that_no_topic_can_have_is_told_at_once(cluster: Cluster, writer: Callable[..., Writer]):
    assert writer(cluster.bootstrap).producer.topic("a b", lambda: None).error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


def test_a_topic_deleted_in_mid_stream_fails_what_is_meant_for_it(
    tmp_path: Path, writer: Callable[..., Writer], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sender, "UNKNOWN_S", 0.5)
    with broker_process(tmp_path, {"auto.create.topics.enable": "false"}) as broker:
        cluster, made = Cluster(broker.bootstrap), writer(broker.bootstrap)
        topic, other = cluster.create(), cluster.create()
        made.add(topic, [b"before"])
        assert made.wait() == [None]
        cluster.admin.delete_topics([topic])[topic].result(20)
        made.add(topic, [b"after"])
        made.add(other, [b"goes on"])
        codes = {failure and failure.code for failure in made.wait()[1:]}
        assert codes == {None, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}


def test_a_topic_deleted_and_made_again_gets_what_comes(cluster: Cluster, writer: Callable[..., Writer]):
    made = writer(cluster.bootstrap)
    topic = cluster.create()
    made.add(topic, [b"before"])
    assert made.wait() == [None]
    cluster.admin.delete_topics([topic])[topic].result(20)
    eventually(lambda: topic in cluster.admin.list_topics(timeout=10).topics, False)
    cluster.admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)
    made.add(topic, [b"after"])
    assert made.wait() == [None, None]
    eventually(lambda: cluster.values(topic), ["after"])


@contextmanager
def own_broker(kind: str, directory: Path, **settings: str) -> Iterator[Brokers]:
    if kind == "kafka":
        with kafka_node(directory, settings) as node:
            yield node
    else:
        with broker_process(directory, settings) as broker:
            yield broker


KINDS = ["headrace", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.mark.crash
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("killed", [True, False])
def test_a_broker_that_ends_in_mid_stream_and_comes_back_loses_and_doubles_nothing(
    tmp_path: Path, writer: Callable[..., Writer], kind: str, killed: bool
):
    with own_broker(kind, tmp_path / kind) as broker:
        cluster = Cluster(broker.bootstrap)
        topics = [cluster.create(), cluster.create()]
        made = writer(broker.bootstrap, **{"batch.size": "2000"})
        for number in range(300):
            made.add(topics[number % 2], rows(20, number // 2 * 20))
            if number in (60, 200):
                eventually(lambda number=number: len(made.reports) > number - 60, True)
                broker.kill() if killed else broker.stop()
                broker.start()
        assert set(made.wait()) == {None}
        for topic in topics:
            assert [message.value() for message in cluster.read(topic)] == rows(3_000)


@pytest.mark.kafka
def test_a_user_who_may_not_write_is_told(tmp_path: Path, writer: Callable[..., Writer]):
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
    }
    with own_broker("kafka", tmp_path / "kafka", **settings) as broker:
        cluster = Cluster(broker.bootstrap)
        topic = cluster.create()
        made = writer(broker.bootstrap)
        made.add(topic, [b"before"])
        assert made.wait() == [None]
        _allow_another(cluster.admin, topic)
        until = time.monotonic() + DEADLINE_S
        while made.reports[-1] is None and time.monotonic() < until:
            made.add(topic, [b"after"])
            made.wait()
        assert made.reports[-1] == Failure(ErrorCode.TOPIC_AUTHORIZATION_FAILED, made.reports[-1].text)


def _allow_another(admin: AdminClient, topic: str) -> None:
    """From then on nobody else may use the topic."""
    for operation in (AclOperation.WRITE, AclOperation.READ):
        acl = AclBinding(
            *(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL),
            *("User:another", "*", operation, AclPermissionType.ALLOW),
        )
        admin.create_acls([acl])[acl].result(20)


def test_a_producer_without_a_broker_ends_at_once_and_a_wait_for_a_topic_by_its_check(writer: Callable[..., Writer]):
    made = writer("127.0.0.1:1")
    made.add("t", [b"a"])
    until = time.monotonic() + 0.5

    def check() -> None:
        if time.monotonic() > until:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        made.producer.topic("t", check)
    assert made.reports == []
