"""Bad records of sink tasks, through real hosts and a real broker: skipped, dead-lettered, tried again."""

import os
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import Message

from headrace.connect.runtime.messages import LogLine
from tests.conftest import need
from tests.connect.runtime.pipeline import Rig, eventually

LETTERS = "errors.deadletterqueue"


def _sink(path: Path, topic: str, **more: str) -> dict[str, str]:
    """A sink of its own group, with a dead letter queue `TOPIC-dlq`."""
    return {
        "connector.class": "file-stream-sink",
        "name": topic,
        "file": str(path),
        "topics": topic,
        "errors.tolerance": "all",
        f"{LETTERS}.topic.name": f"{topic}-dlq",
        f"{LETTERS}.topic.replication.factor": "1",
        f"{LETTERS}.context.headers.enable": "true",
        **more,
    }


def _written(path: Path) -> list[str]:
    return path.read_text().splitlines()


def _headers(message: Message) -> dict[str, str | None]:
    return {name: None if value is None else value.decode() for name, value in message.headers() or ()}


def _committed(rig: Rig, topic: str) -> int:
    return rig.cluster.committed(f"connect-{topic}", topic)


def test_a_poison_record_is_dead_lettered_with_its_reason_and_the_sink_goes_on(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    headers = [("mine", b"kept"), ("no", None)]
    rig.cluster.write(topic, "before")
    rig.cluster.write_one(topic, b"\xff\x00poison", key=b"key", timestamp=1234567890123, headers=headers)
    rig.cluster.write(topic, "after")
    id = rig.start(_sink(lines, topic))
    eventually(lambda: _written(lines), ["before", "after"])
    rig.stop(id)
    assert _committed(rig, topic) == 3
    (letter,) = rig.cluster.read(f"{topic}-dlq")
    assert (letter.key(), letter.value(), letter.timestamp()[1]) == (b"key", b"\xff\x00poison", 1234567890123)
    told = _headers(letter)
    stack = told.pop("__connect.errors.exception.stacktrace") or ""
    assert told == {
        "mine": "kept",
        "no": None,
        "__connect.errors.topic": topic,
        "__connect.errors.partition": "0",
        "__connect.errors.offset": "1",
        "__connect.errors.connector.name": topic,
        "__connect.errors.task.id": "0",
        "__connect.errors.stage": "VALUE_CONVERTER",
        "__connect.errors.class.name": "headrace_file_stream.LineConverter",
        "__connect.errors.exception.class.name": "org.apache.kafka.connect.errors.DataException",
        "__connect.errors.exception.message": "a payload is not UTF-8",
    }
    assert stack.startswith("org.apache.kafka.connect.errors.DataException: a payload is not UTF-8\n\tat to_connect (")
    shown = _kcat(rig, f"{topic}-dlq", "%k %h\n")
    assert shown.startswith(f"key mine=kept,no=NULL,__connect.errors.topic={topic},__connect.errors.partition=0,")


def _kcat(rig: Rig, topic: str, form: str) -> str:
    command = [need("kcat", "apt-get install kcat"), "-C", "-e", "-q", "-b", rig.cluster.bootstrap, "-t", topic]
    return subprocess.run([*command, "-f", form], check=True, capture_output=True, text=True, timeout=30).stdout


def test_records_that_the_task_reports_are_dead_lettered_and_the_others_written(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a", "bad 1", "b", "bad 2")
    id = rig.start(_sink(lines, topic, report="true"))
    eventually(lambda: _written(lines), ["a", "b"])
    rig.stop(id)
    told = [message.text for message in rig.heard.messages if isinstance(message, LogLine)]
    assert f"{topic}-0 ends; records: 2 failed, 2 skipped, 2 dead-lettered" in told
    assert _committed(rig, topic) == 4
    letters = rig.cluster.read(f"{topic}-dlq")
    assert [letter.value() for letter in letters] == [b"bad 1", b"bad 2"]
    headers = _headers(letters[1])
    assert headers["__connect.errors.stage"] == "TASK_PUT"
    assert headers["__connect.errors.class.name"] == "org.apache.kafka.connect.sink.SinkTask"
    assert headers["__connect.errors.offset"] == "3"


def test_records_that_the_task_refuses_are_dead_lettered_without_headers_where_none_are_wanted(
    rig: Rig, lines: Path
) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a", "bad 1", "b")
    id = rig.start(_sink(lines, topic, **{f"{LETTERS}.context.headers.enable": "false"}))
    eventually(lambda: _written(lines), ["a", "b"])
    rig.stop(id)
    (letter,) = rig.cluster.read(f"{topic}-dlq")
    assert letter.value() == b"bad 1" and not letter.headers()


@pytest.mark.parametrize("report", ["true", "swallow", ""])
def test_without_tolerance_the_record_is_dead_lettered_once_and_stops_the_task(
    rig: Rig, lines: Path, report: str
) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a", "bad 1", "b")
    id = rig.start_unheard(_sink(lines, topic, report=report, **{"errors.tolerance": "none"}))
    sentence = rig.heard.state(id, "FAILED").trace.splitlines()[0]
    assert f"topic {topic}, partition 0, offset 1 failed in TASK_PUT" in sentence
    rig.stop(id)
    assert [letter.value() for letter in rig.cluster.read(f"{topic}-dlq")] == [b"bad 1"]
    assert _committed(rig, topic) < 2


def test_a_queue_that_the_broker_cannot_make_is_refused_with_the_key_to_set(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    id = rig.start_unheard(_sink(lines, topic, **{f"{LETTERS}.topic.replication.factor": "3"}))
    sentence = rig.heard.state(id, "FAILED").trace.splitlines()[0]
    assert sentence.startswith(f"Could not initialize dead letter queue with topic={topic}-dlq: ")
    assert sentence.endswith("Set errors.deadletterqueue.topic.replication.factor to 1 or -1 (it is 3)")


def test_a_letter_that_is_not_taken_stops_the_task_and_its_record_is_not_passed_over(rig: Rig, lines: Path) -> None:
    """Fails where offsets are committed without a look at what is on its way."""
    topic = rig.cluster.create()
    small = rig.cluster.create(**{"max.message.bytes": "2000"})
    rig.cluster.write(topic, "a", b"\xff" + os.urandom(5000), "b")
    id = rig.start_unheard(_sink(lines, topic, **{f"{LETTERS}.topic.name": small}))
    sentence = rig.heard.state(id, "FAILED").trace.splitlines()[0]
    assert sentence.startswith(f"A record for the dead letter queue {small} was not written: ")
    assert "max.message.bytes" in sentence
    rig.stop(id)
    assert _committed(rig, topic) < 2


def test_a_converter_that_fails_in_passing_is_tried_again_and_nothing_is_left_out(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    down = lines.with_name("conv.down")
    down.touch()
    rig.cluster.write(topic, "a", "later", "b")
    config = _sink(lines, topic, **{"value.converter": "lines", "value.converter.down": str(down)})
    id = rig.start(config | {"errors.retry.timeout": "-1", "errors.retry.delay.max.ms": "200"})
    eventually(down.with_suffix(".tried").exists, True)
    down.unlink()
    eventually(lambda: _written(lines), ["a", "later", "b"])
    rig.stop(id)
    assert rig.cluster.values(f"{topic}-dlq") == []


def test_a_stop_while_a_converter_is_tried_again_passes_over_nothing(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    down = lines.with_name("conv.down")
    down.touch()
    rig.cluster.write(topic, "later")
    config = _sink(lines, topic, **{"value.converter": "lines", "value.converter.down": str(down)})
    id = rig.start(config | {"errors.retry.timeout": "-1"})
    eventually(down.with_suffix(".tried").exists, True)
    rig.stop(id)
    assert _committed(rig, topic) == -1 and rig.cluster.values(f"{topic}-dlq") == []
