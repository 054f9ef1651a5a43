"""The fetcher, on our broker and on Apache Kafka."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from headrace.connect.api import ConnectError, TopicPartition
from headrace.connect.client.fetcher import Fetched, Fetcher, FetchSettings
from headrace.connect.client.isolation import Aborted, visible
from headrace.connect.client.link import Link
from headrace.connect.client.positions import UNKNOWN
from tests.conftest import free_port
from tests.connect.conftest import Brokers
from tests.connect.records.test_reader import batch
from tests.contract.broker_process import broker_process

DEADLINE_S = 30.0
Make = Callable[..., Fetcher]


def new_name() -> str:
    return f"fetch-{uuid.uuid4().hex[:8]}"


def create(bootstrap: str, partitions: int = 1, name: str = "") -> str:
    name = name or new_name()
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
    return name


def write(bootstrap: str, topic: str, values: Sequence[bytes], partition: int = 0, **settings: object) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, **settings})
    for value in values:
        producer.produce(topic, value, partition=partition, on_delivery=_delivered)
        producer.poll(0)
    assert producer.flush(DEADLINE_S) == 0


def _delivered(error: object, message: object) -> None:
    assert error is None, error


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Fetcher] = []

    def fetcher(bootstrap: str, **settings: object) -> Fetcher:
        made.append(
            Fetcher(
                lambda: Link({"bootstrap.servers": bootstrap}, client_id="test"),
                FetchSettings(**{"wait_ms": 50, **settings}),  # type: ignore[arg-type]
            )
        )
        return made[-1]

    yield fetcher
    for each in made:
        each.close()


def taken(fetcher: Fetcher, records: int, most: int = 10_000) -> list[Fetched]:
    """What the fetcher gives until there are so many records."""
    found: list[Fetched] = []
    until = time.monotonic() + DEADLINE_S
    while sum(len(each.columns) for each in found) < records:
        assert time.monotonic() < until, f"{sum(len(each.columns) for each in found)} of {records} records came"
        given = fetcher.take(most, 0.2)
        assert sum(len(each.columns) for each in given) <= most
        found += given
    return found


def values(found: Sequence[Fetched], partition: int = 0) -> list[bytes]:
    return [
        value for each in found if each.partition.partition == partition for value in each.columns.value.to_pylist()
    ]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_all_partitions_are_read_in_order_whatever_their_codec(brokers: Brokers, make: Make, codec: str) -> None:
    topic = create(brokers.bootstrap, 3)
    for partition in range(3):
        rows = [b"%d %d " % (partition, n) * 20 for n in range(2000)]
        write(brokers.bootstrap, topic, rows, partition, **{"compression.type": codec})
    fetcher = make(brokers.bootstrap)
    fetcher.assign({TopicPartition(topic, partition): 0 for partition in range(3)})
    found = taken(fetcher, 6000, most=700)
    for partition in range(3):
        assert values(found, partition) == [b"%d %d " % (partition, n) * 20 for n in range(2000)]
    offsets = [o for each in found if each.partition.partition == 1 for o in each.columns.offset.tolist()]
    assert offsets == list(range(2000))


def test_reading_begins_at_the_very_offset_that_was_given(brokers: Brokers, make: Make) -> None:
    topic = create(brokers.bootstrap)
    write(brokers.bootstrap, topic, [b"%d" % n for n in range(500)])
    fetcher = make(brokers.bootstrap)
    fetcher.assign({TopicPartition(topic, 0): 321})
    assert values(taken(fetcher, 179)) == [b"%d" % n for n in range(321, 500)]


@pytest.mark.parametrize(("reset", "expected"), [("earliest", [b"old", b"new"]), ("latest", [b"new"])])
@pytest.mark.parametrize("at", [UNKNOWN, 5000])
def test_where_there_is_no_offset_the_policy_says_where_to_begin(
    brokers: Brokers, make: Make, reset: str, expected: list[bytes], at: int
) -> None:
    topic = create(brokers.bootstrap)
    write(brokers.bootstrap, topic, [b"old"])
    fetcher = make(brokers.bootstrap, reset=reset)
    fetcher.assign({TopicPartition(topic, 0): at})
    if reset == "earliest":
        assert values(taken(fetcher, 1)) == [b"old"]
    else:
        assert fetcher.take(10, 1.5) == []  # it looks up the end meanwhile
    write(brokers.bootstrap, topic, [b"new"])
    assert values(taken(fetcher, 1)) == [b"new"]


def test_without_a_policy_a_missing_offset_is_the_end(brokers: Brokers, make: Make) -> None:
    topic = create(brokers.bootstrap)
    fetcher = make(brokers.bootstrap, reset="error")
    fetcher.assign({TopicPartition(topic, 0): 17})
    with pytest.raises(ConnectError, match=r"no longer there; set consumer\.override\.auto\.offset\.reset"):
        taken(fetcher, 1)


def test_a_paused_partition_gives_nothing_and_loses_nothing(brokers: Brokers, make: Make) -> None:
    topic = create(brokers.bootstrap, 2)
    fetcher = make(brokers.bootstrap)
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    fetcher.assign({zero: 0, one: 0})
    fetcher.pause([zero], paused=True)
    write(brokers.bootstrap, topic, [b"a"] * 10, 0)
    write(brokers.bootstrap, topic, [b"b"] * 10, 1)
    assert {each.partition for each in taken(fetcher, 10)} == {one}
    fetcher.pause([zero], paused=False)
    assert values(taken(fetcher, 10)) == [b"a"] * 10


def test_what_was_read_of_a_partition_that_went_is_not_given(brokers: Brokers, make: Make) -> None:
    """Fails where records that wait, or that are on their way, outlive the assignment that they were asked for in."""
    topic = create(brokers.bootstrap)
    write(brokers.bootstrap, topic, [b"%d" % n for n in range(1000)])
    fetcher = make(brokers.bootstrap)
    partition = TopicPartition(topic, 0)
    for _ in range(20):
        fetcher.assign({partition: 0})
        first = fetcher.take(10, DEADLINE_S)
        assert values(first)[0] == b"0"
        fetcher.revoke([partition])
        assert fetcher.take(10, 0) == []
        fetcher.assign({partition: 500})
        assert values(taken(fetcher, 1, most=1)) == [b"500"]
        fetcher.revoke([partition])


def test_what_waits_is_bounded(brokers: Brokers, make: Make) -> None:
    topic = create(brokers.bootstrap)
    write(brokers.bootstrap, topic, [b"x" * 10_000] * 3000, **{"compression.type": "none"})
    fetcher = make(brokers.bootstrap, most_buffered_bytes=4 << 20)
    fetcher.assign({TopicPartition(topic, 0): 0})
    taken(fetcher, 1, most=1)
    time.sleep(1.0)  # it could read all of it in this time
    with fetcher._changed:
        waiting = sum(chunk.nbytes for chunk in fetcher._ready)
    assert waiting <= (4 << 20) + (2 << 20)
    assert len(values(taken(fetcher, 2999))) == 2999


def test_headers_keys_and_timestamps_come_along(brokers: Brokers, make: Make) -> None:
    topic = create(brokers.bootstrap)
    producer = Producer({"bootstrap.servers": brokers.bootstrap})
    producer.produce(topic, b"v", b"k", timestamp=1_700_000_000_123, headers=[("h", b"1"), ("h", None)])
    producer.produce(topic, None, b"gone", timestamp=1_700_000_000_124)
    assert producer.flush(DEADLINE_S) == 0
    fetcher = make(brokers.bootstrap)
    fetcher.assign({TopicPartition(topic, 0): 0})
    (each,) = taken(fetcher, 2)
    columns = each.columns
    assert (columns.key.to_pylist(), columns.value.to_pylist()) == ([b"k", b"gone"], [b"v", None])
    assert columns.timestamp.tolist() == [1_700_000_000_123, 1_700_000_000_124]
    assert columns.headers == [[("h", b"1"), ("h", None)], []]


def test_a_topic_that_is_made_later_is_read(brokers: Brokers, make: Make) -> None:
    fetcher = make(brokers.bootstrap)
    topic = new_name()
    fetcher.assign({TopicPartition(topic, 0): UNKNOWN})
    assert fetcher.take(10, 0.5) == []
    create(brokers.bootstrap, name=topic)
    write(brokers.bootstrap, topic, [b"x"])
    assert values(taken(fetcher, 1)) == [b"x"]


def test_reading_goes_on_after_the_broker_was_killed(tmp_path: Path, make: Make) -> None:
    with broker_process(tmp_path) as server:
        topic = create(server.bootstrap)
        write(server.bootstrap, topic, [b"before"])
        fetcher = make(server.bootstrap)
        fetcher.assign({TopicPartition(topic, 0): 0})
        assert values(taken(fetcher, 1)) == [b"before"]
        server.kill()
        assert fetcher.take(10, 0.5) == []
        server.start()
        write(server.bootstrap, topic, [b"after"])
        assert values(taken(fetcher, 1)) == [b"after"]


def test_a_fetcher_closes_at_once_though_its_broker_is_silent(brokers: Brokers, make: Make) -> None:
    topic = create(brokers.bootstrap)
    fetcher = make(brokers.bootstrap, wait_ms=30_000)
    fetcher.assign({TopicPartition(topic, 0): 0})
    fetcher.take(1, 1.0)
    began = time.monotonic()
    fetcher.close()
    assert time.monotonic() - began < 2.0


@pytest.mark.kafka
@pytest.mark.parametrize(("committed", "expected"), [(True, [b"kept", b"last"]), (False, [b"gone", b"kept", b"last"])])
def test_an_aborted_transaction_is_seen_only_where_uncommitted_records_are(
    apache_kafka: Brokers, make: Make, committed: bool, expected: list[bytes]
) -> None:
    topic = create(apache_kafka.bootstrap)
    producer = Producer({"bootstrap.servers": apache_kafka.bootstrap, "transactional.id": topic})
    producer.init_transactions(DEADLINE_S)
    for value in (b"gone", b"kept"):
        producer.begin_transaction()
        producer.produce(topic, value)
        if value == b"gone":
            assert producer.flush(DEADLINE_S) == 0
            producer.abort_transaction(DEADLINE_S)
        else:
            producer.commit_transaction(DEADLINE_S)
    write(apache_kafka.bootstrap, topic, [b"last"])
    fetcher = make(apache_kafka.bootstrap, read_committed=committed)
    fetcher.assign({TopicPartition(topic, 0): 0})
    assert values(taken(fetcher, len(expected))) == expected


def test_an_answer_that_comes_after_the_same_records_came_is_passed_over(make: Make) -> None:
    """Fails where the answer of a leader that was given up doubles what its successor has given."""
    fetcher = make(f"127.0.0.1:{free_port()}")
    partition = TopicPartition("t", 0)
    fetcher.assign({partition: 7})
    (position,) = fetcher._positions
    records = batch([(1, None, b"once", [])], base=7)
    answer = SimpleNamespace(error_code=0, records=records, aborted_transactions=None)
    for _ in range(2):
        fetcher._partition_came(position, 7, answer)
    assert values(fetcher.take(10, DEADLINE_S)) == [b"once"]
    assert fetcher.take(10, 0) == []
    assert position.offset == 8


def test_of_no_batches_nothing_is_visible() -> None:
    assert list(visible([], [Aborted(1, 0)])) == []
