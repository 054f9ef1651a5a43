"""Source tasks through real hosts and a real broker."""

import os
import random
import re
import signal
from pathlib import Path

import pytest

from headrace.connect.runtime.hosts import HostDied
from headrace.connect.runtime.messages import LogLine, TopicUsed
from tests.connect.runtime.pipeline import Cluster, Rig, eventually


def _source(lines: Path, topic: str, **more: str) -> dict[str, str]:
    return {"connector.class": "file-stream-source", "name": "s", "file": str(lines), "topic": topic, **more}


def _append(lines: Path, *values: str) -> None:
    with lines.open("a") as file:
        file.writelines(f"{value}\n" for value in values)


def _key(lines: Path, connector: str = "s") -> str:
    return f'["{connector}", {{"filename": "{lines}"}}]'


def test_lines_reach_the_topic_in_order_and_the_stop_commits_their_offset(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    id = rig.start(_source(lines, topic))
    wanted = [f"line {n}" for n in range(5000)]
    _append(lines, *wanted)
    eventually(lambda: len(rig.cluster.read(topic)), 5000)
    rig.stop(id)
    assert rig.cluster.values(topic) == wanted
    assert rig.offsets() == {_key(lines): {"position": lines.stat().st_size}}
    assert rig.heard.wait(lambda message: isinstance(message, TopicUsed)) == TopicUsed("s", topic)


def test_a_task_goes_on_from_the_committed_offset(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    _append(lines, "a", "b")
    id = rig.start(_source(lines, topic))
    eventually(lambda: rig.cluster.values(topic), ["a", "b"])
    rig.stop(id)
    _append(lines, "c")
    rig.start(_source(lines, topic))
    eventually(lambda: rig.cluster.values(topic), ["a", "b", "c"])


def test_offsets_are_written_in_javas_exact_bytes(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    _append(lines, "a")
    id = rig.start(_source(lines, topic))
    eventually(lambda: rig.cluster.values(topic), ["a"])
    rig.stop(id)
    (record,) = rig.cluster.read(rig.offsets_topic)
    assert record.key() == f'["s",{{"filename":"{lines}"}}]'.encode()
    assert record.value() == b'{"position":2}'


def test_dropped_records_advance_the_offset(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    _append(lines, "keep", "drop 1", "drop 2")
    id = rig.start(_source(lines, topic, transforms="r", **{"transforms.r.type": "route"}))
    eventually(lambda: rig.cluster.values(topic), ["keep"])
    rig.stop(id)
    assert rig.offsets() == {_key(lines): {"position": lines.stat().st_size}}


def test_a_predicate_of_a_plug_in_says_which_records_are_transformed(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    _append(lines, "keep 1", "other", "keep:drop 2", "k:v", "keep 3")
    chain = {
        "transforms": "r,f",
        "transforms.r.type": "route",
        "transforms.r.predicate": "kept",
        "transforms.r.negate": "true",
        "transforms.f.type": "org.apache.kafka.connect.transforms.Filter",
        "transforms.f.predicate": "other",
        "predicates": "kept,other",
        "predicates.kept.type": "begins",
        "predicates.kept.with": "keep",
        "predicates.other.type": "begins",
        "predicates.other.with": "other",
    }
    id = rig.start(_source(lines, topic, **chain))
    eventually(lambda: rig.cluster.values(topic), ["keep 1", "keep:drop 2", "v", "keep 3"])
    rig.stop(id)
    assert rig.offsets() == {_key(lines): {"position": lines.stat().st_size}}


def test_keys_go_to_the_partitions_that_javas_murmur2_gives(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create(3)
    _append(lines, *(f"k{n}:v{n}" for n in range(100)))
    id = rig.start(_source(lines, topic, transforms="r", **{"transforms.r.type": "route"}))
    eventually(lambda: len(rig.cluster.read(topic)), 100)
    rig.stop(id)
    for record in rig.cluster.read(topic):
        assert record.partition() == _murmur2(record.key()) % 3
    assert rig.offsets() == {_key(lines): {"position": lines.stat().st_size}}


def _murmur2(data: bytes) -> int:
    """Kafka's murmur2, from its definition (`org.apache.kafka.common.utils.Utils`), without the sign."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return (h ^ (h >> 15)) & 0x7FFFFFFF


def test_rows_with_a_partition_of_their_own_go_there(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create(3)
    _append(lines, "@2 a", "@0 b", "@2 c")
    rig.start(_source(lines, topic, transforms="r", **{"transforms.r.type": "route"}))
    eventually(lambda: [(r.partition(), r.value()) for r in rig.cluster.read(topic)], [(0, b"b"), (2, b"a"), (2, b"c")])


def test_a_paused_task_commits_and_sends_nothing_until_it_is_resumed(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    _append(lines, "a")
    id = rig.start(_source(lines, topic))
    eventually(lambda: rig.cluster.values(topic), ["a"])
    rig.pool.pause_task(id, True)
    rig.heard.state(id, "PAUSED")
    eventually(rig.offsets, {_key(lines): {"position": 2}})
    _append(lines, "b")
    rig.heard.forget()
    rig.pool.pause_task(id, False)
    rig.heard.state(id, "RUNNING")
    eventually(lambda: rig.cluster.values(topic), ["a", "b"])


def test_a_task_fails_with_the_sentence_first_and_can_be_started_again(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    id = rig.start_unheard(_source(lines, topic, **{"fail.start": "table iris is missing"}))
    trace = rig.heard.state(id, "FAILED").trace
    assert trace.splitlines()[0] == "table iris is missing"
    rig.stop(id)
    _append(lines, "a")
    rig.start(_source(lines, topic))
    eventually(lambda: rig.cluster.values(topic), ["a"])


def test_a_record_that_does_not_fit_is_named_and_nothing_after_it_is_committed(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    _append(lines, "a", "b", "unfit", "c")
    id = rig.start_unheard(_source(lines, topic))
    sentence = rig.heard.state(id, "FAILED").trace.splitlines()[0]
    assert "VALUE_CONVERTER" in sentence and "'position': 10" in sentence and "does not fit" in sentence
    rig.stop(id)
    assert rig.offsets() == {}


def test_under_tolerance_a_record_that_does_not_fit_is_left_out_alone(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    _append(lines, "a", "b", "unfit", "c")
    id = rig.start(_source(lines, topic, **{"errors.tolerance": "all"}))
    eventually(lambda: rig.cluster.values(topic), ["a", "b", "c"])
    rig.stop(id)
    assert rig.offsets() == {_key(lines): {"position": lines.stat().st_size}}


def test_topics_are_created_by_their_group(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create() + "-new"
    creation = {
        "topic.creation.groups": "wide",
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": "-1",
        "topic.creation.wide.include": ".*-new",
        "topic.creation.wide.partitions": "3",
        "topic.creation.wide.retention.ms": "12345678",
    }
    _append(lines, "a")
    rig.start(_source(lines, topic, **creation))
    eventually(lambda: topic in rig.cluster.admin.list_topics(timeout=10).topics, True)
    assert len(rig.cluster.admin.list_topics(timeout=10).topics[topic].partitions) == 3
    eventually(lambda: rig.cluster.values(topic), ["a"])


def test_a_replication_factor_that_the_cluster_cannot_give_says_what_to_set(rig: Rig, lines: Path) -> None:
    creation = {"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "3"}
    _append(lines, "a")
    id = rig.start_unheard(_source(lines, rig.cluster.create() + "-new", **creation))
    sentence = rig.heard.state(id, "FAILED").trace.splitlines()[0]
    assert "Set topic.creation.default.replication.factor to 1 or -1" in sentence


def test_a_record_that_the_broker_refuses_fails_the_task_with_the_keys_to_raise(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create(**{"max.message.bytes": "1000"})
    _append(lines, "a", random.Random(1).randbytes(5000).hex(), "b")
    id = rig.start_unheard(_source(lines, topic))
    sentence = rig.heard.state(id, "FAILED").trace.splitlines()[0]
    assert re.search(r"max\.request\.size.*max\.message\.bytes", sentence), sentence
    rig.stop(id)
    assert rig.offsets() == {}


def test_under_tolerance_the_records_that_the_broker_refuses_are_left_out_and_told_of(rig: Rig, lines: Path) -> None:
    """Fails where the records after a refused one keep their sequence numbers."""
    topic = rig.cluster.create(**{"max.message.bytes": "1000"})
    large = [random.Random(n).randbytes(5000).hex() for n in range(3)]
    _append(lines, large[0], *(f"a{n}" for n in range(300)), large[1], "b")
    log = {"errors.tolerance": "all", "errors.log.enable": "true"}
    id = rig.start(_source(lines, topic, **log))
    wanted = [*(f"a{n}" for n in range(300)), "b"]
    eventually(lambda: len(rig.cluster.values(topic)), len(wanted))
    _append(lines, "c", large[2], "d")
    eventually(lambda: rig.cluster.values(topic), [*wanted, "c", "d"])
    rig.stop(id)
    assert rig.offsets() == {_key(lines): {"position": lines.stat().st_size}}
    told = [message.text for message in rig.heard.messages if isinstance(message, LogLine)]
    errors = [
        text for text in told if text.startswith("Error encountered in task s-0. Executing stage 'KAFKA_PRODUCE'")
    ]
    assert len(errors) == 3
    assert (
        "with class 'org.apache.kafka.connect.runtime.WorkerSourceTask'.\norg.apache.kafka.common.errors." in errors[0]
    )


@pytest.mark.crash
def test_a_killed_host_loses_no_line(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    config = _source(lines, topic, **{"batch.size": "10"})
    wanted = [f"line {n}" for n in range(20_000)]
    _append(lines, *wanted)
    rig.start(config)
    eventually(lambda: len(rig.cluster.read(topic)) > 1000, True)
    os.kill(rig.pool.pids()[0], signal.SIGKILL)
    rig.heard.wait(lambda message: isinstance(message, HostDied))
    id = rig.start(config)
    eventually(lambda: set(rig.cluster.values(topic)) == set(wanted), True)
    rig.stop(id)


@pytest.mark.crash
def test_a_task_that_hangs_is_given_up_and_its_host_ends(rig: Rig, lines: Path) -> None:
    id = rig.start(_source(lines, rig.cluster.create(), hang="true"))
    (pid,) = rig.pool.pids()
    rig.stop(id, 300)
    eventually(lambda: pid in rig.pool.pids(), False)
    topic = rig.cluster.create()
    _append(lines, "a")
    rig.start(_source(lines, topic))
    eventually(lambda: rig.cluster.values(topic), ["a"])


def test_tasks_of_equal_settings_share_a_producer_and_each_has_its_offsets(rig: Rig, tmp_path: Path) -> None:
    topics = [rig.cluster.create() for _ in range(4)]
    ids = []
    for number, topic in enumerate(topics):
        lines = tmp_path / f"{number}.txt"
        _append(lines, f"line {number}")
        ids.append(rig.start(_source(lines, topic) | {"name": f"s{number}"}))
    for number, topic in enumerate(topics):
        eventually(lambda: rig.cluster.values(topic), [f"line {number}"])  # noqa: B023
    for id in ids:
        rig.stop(id)
    assert len(rig.offsets()) == 4


def test_a_broker_without_the_topic_and_without_auto_creation_is_said_as_such(cluster: Cluster) -> None:
    """Left to the unit of `failure`: the wait of librdkafka for a topic is 30 s."""
    from confluent_kafka import KafkaError

    from headrace.connect.runtime.host.producers import failure

    error = failure(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), "iris", cluster.bootstrap)
    assert "topic.creation.default.partitions" in str(error)
