"""Sink tasks through real hosts and a real broker."""

import os
import signal
from pathlib import Path

import pytest

from headrace.connect.runtime.hosts import HostDied
from tests.connect.runtime.pipeline import Rig, eventually


def _sink(path: Path, topics: str, **more: str) -> dict[str, str]:
    return {"connector.class": "file-stream-sink", "name": "k", "file": str(path), "topics": topics, **more}


def _written(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _committed(rig: Rig, topic: str, name: str = "k") -> int:
    return rig.cluster.committed(f"connect-{name}", topic)


def test_records_are_written_in_order_and_the_stop_commits_their_offsets(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    wanted = [f"line {n}" for n in range(12_345)]
    rig.cluster.write(topic, *wanted)
    id = rig.start(_sink(lines, topic) | {"name": topic})
    eventually(lambda: len(_written(lines)), len(wanted))
    rig.stop(id)
    assert _written(lines) == wanted
    assert _committed(rig, topic, topic) == len(wanted)


def test_a_task_goes_on_from_the_committed_offset(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a", "b")
    config = _sink(lines, topic) | {"name": topic}
    id = rig.start(config)
    eventually(lambda: _written(lines), ["a", "b"])
    rig.stop(id)
    rig.cluster.write(topic, "c")
    rig.start(config)
    eventually(lambda: _written(lines), ["a", "b", "c"])


def test_a_topic_made_after_the_subscription_is_read_soon(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create() + "-later"
    rig.start(_sink(lines, "", **{"topics.regex": f"{topic[:8]}.*-later"}) | {"name": topic})
    rig.cluster.write(topic, "a")  # the broker creates it
    eventually(lambda: _written(lines), ["a"])


def test_tombstones_and_schemas_arrive_as_they_are(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a", None, "b")
    rig.start(_sink(lines, topic) | {"name": topic})
    eventually(lambda: _written(lines), ["a", "None", "b"])


def test_while_the_target_is_away_the_same_records_are_tried_again_and_the_group_is_kept(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    down = Path(f"{lines}.down")
    down.touch()
    # Half a minute of max.poll.interval would end the membership, did the back-off not poll.
    overrides = {"consumer.override.max.poll.interval.ms": "6000", "consumer.override.session.timeout.ms": "6000"}
    config = _sink(lines, topic, **overrides) | {"name": topic}
    id = rig.start(config)
    rig.cluster.write(topic, "a", "b")
    with pytest.raises(AssertionError):
        eventually(lambda: _written(lines), ["a", "b"], 8)
    rig.cluster.write(topic, "c")
    down.unlink()
    eventually(lambda: _written(lines), ["a", "b", "c"])
    rig.stop(id)
    assert _committed(rig, topic, topic) == 3


def test_a_stop_while_the_target_is_away_commits_nothing(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    Path(f"{lines}.down").touch()
    rig.cluster.write(topic, "a")
    id = rig.start(_sink(lines, topic) | {"name": topic})
    eventually(Path(f"{lines}.tried").exists, True)
    rig.stop(id)
    assert _committed(rig, topic, topic) == -1 and _written(lines) == []


def test_a_bad_record_is_named_and_what_stands_before_it_is_written_once(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, *(f"line {n}" for n in range(100)), "bad one", *(f"more {n}" for n in range(50)))
    config = _sink(lines, topic) | {"name": topic}
    id = rig.start(config)
    sentence = rig.heard.state(id, "FAILED").trace.splitlines()[0]
    assert f"topic {topic}, partition 0, offset 100" in sentence and "TASK_PUT" in sentence and "bad one" in sentence
    rig.stop(id)
    assert _written(lines) == [f"line {n}" for n in range(100)]
    assert _committed(rig, topic, topic) == 100
    rig.start_unheard(config)
    rig.heard.state(id, "FAILED")
    assert len(_written(lines)) == 100


def test_under_tolerance_only_the_bad_records_are_left_out(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "bad 0", *(f"line {n}" for n in range(100)), "bad 1", b"\xff", "last")
    id = rig.start(_sink(lines, topic, **{"errors.tolerance": "all"}) | {"name": topic})
    eventually(lambda: _written(lines), [*(f"line {n}" for n in range(100)), "last"])
    rig.stop(id)
    assert _committed(rig, topic, topic) == 104


def test_a_payload_that_cannot_be_read_is_named(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a", b"\xff")
    id = rig.start_unheard(_sink(lines, topic) | {"name": topic})
    sentence = rig.heard.state(id, "FAILED").trace.splitlines()[0]
    assert f"topic {topic}, partition 0, offset 1 failed in VALUE_CONVERTER" in sentence
    rig.stop(id)
    assert _committed(rig, topic, topic) == -1


def test_a_failed_task_commits_nothing(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a")
    id = rig.start_unheard(_sink(lines, topic, fail="the disk is full") | {"name": topic})
    assert rig.heard.state(id, "FAILED").trace.splitlines()[0] == "the disk is full"
    rig.stop(id)
    assert _committed(rig, topic, topic) == -1


def test_a_paused_task_reads_nothing_until_it_is_resumed(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a")
    id = rig.start(_sink(lines, topic) | {"name": topic})
    eventually(lambda: _written(lines), ["a"])
    rig.pool.pause_task(id, True)
    rig.heard.state(id, "PAUSED")
    eventually(lambda: _committed(rig, topic, topic), 1)
    rig.cluster.write(topic, "b")
    rig.heard.forget()
    rig.pool.pause_task(id, False)
    rig.heard.state(id, "RUNNING")
    eventually(lambda: _written(lines), ["a", "b"])


def test_two_tasks_share_the_partitions_and_a_stop_hands_them_over_without_repeats(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create(2)
    config = _sink(lines, topic) | {"name": topic}
    first = rig.start(config, 0)
    rig.start(config, 1)
    for round in range(3):
        for partition in range(2):
            rig.cluster.write(topic, *(f"{partition}-{round}-{n}" for n in range(50)), partition=partition)
        eventually(lambda: len(_written(lines)), 100 * (round + 1))
        if round == 0:
            rig.stop(first)
    assert len(set(_written(lines))) == 300


def test_a_rebalance_in_mid_stream_loses_and_repeats_nothing(rig: Rig, lines: Path) -> None:
    """Fails where records that come in the same call as a rebalance are dropped with those before it."""
    topic = rig.cluster.create(1)
    config = _sink(lines, topic, **{"consumer.override.heartbeat.interval.ms": "500"}) | {"name": topic}
    wanted = [f"line {n}" for n in range(60_000)]
    rig.start(config, 0)
    rig.cluster.write(topic, *wanted[:20_000])
    eventually(lambda: len(_written(lines)) > 0, True)
    second = rig.start(config, 1)
    rig.cluster.write(topic, *wanted[20_000:40_000])
    eventually(lambda: len(_written(lines)) > 20_000, True)
    rig.stop(second)
    rig.cluster.write(topic, *wanted[40_000:])
    eventually(lambda: len(_written(lines)) >= len(wanted), True, 30)
    assert sorted(_written(lines)) == sorted(wanted)


@pytest.mark.crash
def test_a_killed_host_loses_no_record(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    config = _sink(lines, topic, **{"consumer.override.session.timeout.ms": "6000"}) | {"name": topic}
    wanted = [f"line {n}" for n in range(5000)]
    rig.start(config)
    rig.cluster.write(topic, *wanted[:2500])
    eventually(lambda: len(_written(lines)) > 0, True)
    os.kill(rig.pool.pids()[0], signal.SIGKILL)
    rig.heard.wait(lambda message: isinstance(message, HostDied))
    rig.cluster.write(topic, *wanted[2500:])
    rig.start(config)
    eventually(lambda: set(_written(lines)) == set(wanted), True, 40)


@pytest.mark.crash
def test_a_sink_that_hangs_is_given_up_and_another_goes_on(rig: Rig, lines: Path) -> None:
    topic = rig.cluster.create()
    rig.cluster.write(topic, "a")
    config = _sink(lines, topic, **{"consumer.override.session.timeout.ms": "6000"}) | {"name": topic}
    hangs = lines.with_name("hangs")
    id = rig.start(config | {"hang": "true", "hang.file": str(hangs)})
    (pid,) = rig.pool.pids()
    eventually(hangs.exists, True, 30)
    rig.stop(id, 300)
    eventually(lambda: pid in rig.pool.pids(), False)
    rig.start(config)
    eventually(lambda: _written(lines), ["a"], 30)
