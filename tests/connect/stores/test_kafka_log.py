"""The log of the internal topics: one contract for the log in memory and the real one, on both brokers."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from headrace.config import ConfigError
from headrace.connect.stores.standalone_log import StandaloneLog
from headrace.kafka_client.kafka_log import InternalTopic, KafkaBasedLog, LogError
from tests.conftest import free_port
from tests.connect import recordings
from tests.connect.conftest import Brokers
from tests.connect.rig import MemoryLog, until


def topic(partitions: int = 1, factor: int = 1) -> InternalTopic:
    return InternalTopic(f"t-{uuid.uuid4().hex[:10]}", "config.storage", partitions, factor, {"segment.ms": "3600000"})


class Opener:
    """Opens logs on a broker."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self.opened: list[KafkaBasedLog] = []

    def __call__(self, *topics: InternalTopic, wake: Callable[[], None] = lambda: None) -> KafkaBasedLog:
        log = KafkaBasedLog(topics, {"bootstrap.servers": self._bootstrap}, wake)
        assert log.wait_for_broker(threading.Event())
        log.open()
        self.opened.append(log)
        return log

    def close(self) -> None:
        for log in self.opened:
            log.close(5)


@pytest.fixture
def make(brokers: Brokers) -> Iterator[Opener]:
    opener = Opener(brokers.bootstrap)
    yield opener
    opener.close()


@pytest.fixture(params=["memory", "standalone", "our_broker", pytest.param("apache_kafka", marks=pytest.mark.kafka)])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., KafkaBasedLog]]:
    """Opens a log in memory, or a real one."""
    if request.param == "standalone":
        yield lambda *topics, wake=lambda: None: StandaloneLog(tmp_path / "offsets", {}, wake)
        return
    if request.param == "memory":
        yield lambda *topics, wake=lambda: None: MemoryLog(topics, wake)
        return
    real = Opener(request.getfixturevalue(request.param).bootstrap)
    yield real
    real.close()


def test_what_is_written_is_read_back_in_order_with_its_offsets(opener):
    one = topic()
    log = opener(one)
    log.write(one.name, [(b"a", b"1"), (b"b", None)])
    log.write(one.name, [(b"a", b"2")])
    log.read_to_end([one.name])
    assert [(r.topic, r.offset, r.key, r.value) for r in log.take()] == [
        (one.name, 0, b"a", b"1"),
        (one.name, 1, b"b", None),
        (one.name, 2, b"a", b"2"),
    ]
    assert log.take() == []


def test_what_is_sent_comes_by_itself_and_wakes_the_owner(opener):
    one, woken = topic(), threading.Event()
    log = opener(one, wake=woken.set)
    log.send(one.name, (b"k", b"v"))
    assert woken.wait(20)
    assert [(r.key, r.value) for r in log.take()] == [(b"k", b"v")]


def test_several_topics_share_a_log(opener):
    one, two = topic(), topic(partitions=3)
    log = opener(one, two)
    log.write(one.name, [(b"a", b"1")])
    log.write(two.name, [(b"b", b"2")])
    log.read_to_end([one.name, two.name])
    assert {(r.topic, r.key) for r in log.take()} == {(one.name, b"a"), (two.name, b"b")}


def test_a_log_that_is_opened_later_reads_what_is_there(make):
    one = topic(partitions=5)
    first = make(one)
    first.write(one.name, [(f"k{n}".encode(), b"v") for n in range(50)])
    second = make(one)
    second.read_to_end([one.name])
    assert len(second.take()) == 50


def test_read_to_end_waits_for_what_others_have_written(make, brokers):
    one = topic()
    log = make(one)
    producer = Producer({"bootstrap.servers": brokers.bootstrap})
    for number in range(100):
        producer.produce(one.name, str(number), "k")
    assert producer.flush(20) == 0
    log.read_to_end([one.name])
    assert len(log.take()) == 100


@pytest.mark.parametrize(("kind", "partitions"), [("offsets", 25), ("status", 5)])
def test_keys_go_to_the_partitions_that_java_put_them_into(make, kind, partitions):
    """Another partitioner would leave the latest value of a key behind an older one elsewhere."""
    one = topic(partitions)
    # Paths in the recorded keys were replaced afterwards.
    recorded = (record for record in recordings.records(f"connect-{kind}") if b"/recording/" not in record.key)
    theirs = {record.key: record.partition for record in recorded}
    assert len(theirs) > 2
    log = make(one)
    log.write(one.name, [(key, b"x") for key in theirs])
    log.read_to_end([one.name])
    assert {record.key: record.partition for record in log.take()} == theirs


def test_a_missing_topic_is_made_with_its_partitions(make, brokers):
    one = topic(partitions=7)
    make(one)
    admin = AdminClient({"bootstrap.servers": brokers.bootstrap})
    assert len(admin.list_topics(one.name, timeout=20).topics[one.name].partitions) == 7


@pytest.mark.kafka
def test_a_missing_topic_is_made_compacted_and_with_its_settings(apache_kafka):
    one, opener = topic(), Opener(apache_kafka.bootstrap)
    opener(one)
    opener.close()
    admin = AdminClient({"bootstrap.servers": apache_kafka.bootstrap})
    resource = ConfigResource(ResourceType.TOPIC, one.name)
    found = admin.describe_configs([resource])[resource].result(20)
    assert found["cleanup.policy"].value == "compact"
    assert found["segment.ms"].value == "3600000"


def test_a_replication_factor_that_cannot_be_is_refused_with_the_way_out(make):
    with pytest.raises(ConfigError, match=r"set config\.storage\.replication\.factor to 1 or -1"):
        make(topic(factor=3))


def test_the_brokers_default_replication_factor_will_do(make):
    one = topic(factor=-1)
    make(one).write(one.name, [(b"k", b"v")])


def test_a_topic_that_must_have_one_partition_is_refused_with_more(make):
    many = topic(partitions=3)
    make(many)
    with pytest.raises(ConfigError, match="must have a single partition"):
        make(replace(many, partitions=1))


@pytest.mark.kafka
def test_a_topic_that_forgets_by_age_is_refused(apache_kafka):
    one, opener = topic(), Opener(apache_kafka.bootstrap)
    admin = AdminClient({"bootstrap.servers": apache_kafka.bootstrap})
    admin.create_topics([NewTopic(one.name, 1, 1)])[one.name].result(20)
    with pytest.raises(ConfigError, match=r"has cleanup\.policy=delete"):
        opener(one)


def test_without_a_broker_the_wait_says_so_and_can_be_ended(caplog):
    log = KafkaBasedLog([topic()], {"bootstrap.servers": f"127.0.0.1:{free_port()}"}, lambda: None)
    stop = threading.Event()
    waited: list[bool] = []
    thread = threading.Thread(target=lambda: waited.append(log.wait_for_broker(stop)))
    thread.start()
    until(lambda: "Waiting for a broker at 127.0.0.1" in caplog.text, lambda: caplog.text)
    stop.set()
    thread.join(10)
    assert waited == [False]


def test_an_interrupt_ends_a_wait_for_the_brokers(make, brokers):
    one = topic()
    log = make(one)
    log._positions[one.name, 0] = -(10**6)
    failed: list[LogError] = []

    def read() -> None:
        try:
            log.write(one.name, [(b"k", b"v")])
            with log._changed:
                log._positions = dict.fromkeys(log._positions, -1)
            log._note = lambda messages: None
            log.write(one.name, [(b"k", b"v")])
            log.read_to_end([one.name])
        except LogError as error:
            failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join(1)
    log.interrupt()
    thread.join(10)
    assert [str(error) for error in failed] == [f"{one.name} could not be read to the end: the worker stops"]
