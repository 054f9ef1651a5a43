"""Compaction: the last record of each key stays, at its offset, whatever crash comes in between."""

import struct
from pathlib import Path

import crc32c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.log import compaction
from headrace.log.batch import check_produced
from headrace.log.partition_log import PartitionLog
from headrace.log.records import NewRecord, build_batch, compress, decompress, read_batch
from headrace.log.recovery import Opening, open_log
from headrace.log.settings import LogSettings
from tests.kafka.cluster import run_tool
from tests.log.conftest import NOW_MS, OpenLog, processes, run_now

DAY_MS = 86_400_000
SMALL = LogSettings(
    segment_bytes=600, index_interval_bytes=200, compacts=True, deletes=False, min_cleanable_dirty_ratio=0.0
)
PAIRS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.lists(
            st.tuples(st.sampled_from([b"a", b"b", b"c", b"d"]), st.none() | st.binary(max_size=30)),
            min_size=1,
            max_size=5,
        ),
    ),
    max_size=25,
)


def _append(log: PartitionLog, pairs: list[tuple[bytes, bytes | None]], codec: int = 0, now_ms: int = NOW_MS) -> None:
    batch = build_batch([NewRecord(key, value) for key, value in pairs], now_ms)
    if codec:
        packed = bytearray(batch[:61]) + compress(codec, bytes(batch[61:]))
        packed[22] |= codec
        batch = _with_header(packed)
    log.append(batch, check_produced(memoryview(batch), 1 << 20), now_ms)


def _with_header(batch: bytearray) -> bytearray:
    struct.pack_into(">i", batch, 8, len(batch) - 12)
    struct.pack_into(">I", batch, 17, crc32c.crc32c(bytes(batch[21:])))
    return batch


def _records(log: PartitionLog) -> list[tuple[int, bytes | None, bytes | None]]:
    return [
        (record.offset, record.key, record.value)
        for batch in log.read_from(log.start_offset)
        for record in read_batch(batch)
    ]


def _compact(log: PartitionLog, now_ms: int = NOW_MS) -> bool:
    plan = compaction.plan(log, now_ms)
    if plan is None:
        return False
    compaction.swap(log, plan, compaction.compact(plan))
    return True


def _latest(records: list[tuple[int, bytes | None, bytes | None]]) -> dict[bytes | None, tuple[int, bytes | None]]:
    return {key: (offset, value) for offset, key, value in records}


def _fill(log: PartitionLog, rounds: int = 40) -> None:
    for number in range(rounds):
        _append(log, [(b"k%d" % (number % 3), b"v%d" % number), (b"u%d" % number, b"once")])


def test_only_the_last_record_of_a_key_is_left_at_its_offset(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    _fill(log)
    before, last_segment = _records(log), log.active.base_offset
    size = log.size
    assert _compact(log)
    after = _records(log)
    assert set(after) < set(before)
    assert _latest(after) == _latest(before)
    sealed_keys = [key for offset, key, _ in after if offset < last_segment]
    assert len(sealed_keys) == len(set(sealed_keys))
    assert log.size < size
    assert (log.start_offset, log.next_offset) == (0, 80)


def test_a_tombstone_outlives_its_key_for_its_time(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    _append(log, [(b"gone", b"v")])
    _append(log, [(b"gone", None)])
    _fill(log, 20)
    _compact(log, NOW_MS + 1000)
    assert (1, b"gone", None) in _records(log)
    _fill(log, 20)
    _compact(log, NOW_MS + DAY_MS + 1000)
    assert b"gone" not in {key for _, key, _ in _records(log)}


def test_little_that_is_new_is_left_alone(open_it: OpenLog) -> None:
    log = open_it(LogSettings(segment_bytes=600, index_interval_bytes=200, compacts=True, deletes=False))
    _fill(log, 60)
    assert _compact(log)
    assert not _compact(log)
    _fill(log, 6)
    assert not _compact(log)


def test_records_that_are_too_young_are_left_alone(open_it: OpenLog) -> None:
    log = open_it(LogSettings(segment_bytes=600, compacts=True, deletes=False, min_compaction_lag_ms=1000))
    _fill(log)
    assert not _compact(log, NOW_MS + 999)
    assert _compact(log, NOW_MS + 1000)


def test_small_segments_become_one(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    for number in range(200):
        _append(log, [(b"k", b"%d" % number)])
    before = len(log.segments)
    _compact(log)
    _fill(log, 10)
    _compact(log)
    assert len(log.segments) < before / 2
    assert log.segments[0].base_offset == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PAIRS, st.booleans())
def test_whatever_was_written_the_last_of_each_key_is_there_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[tuple[int, list[tuple[bytes, bytes | None]]]],
    clean: bool,
) -> None:
    directory = tmp_path_factory.mktemp("compacted") / "t-0"
    with processes() as handles:
        log = open_log(directory, SMALL, Opening(handles(), run_now, clean=True))
        for codec, pairs in batches:
            _append(log, pairs, codec)
            _compact(log)
        before = _records(log)
        if clean and (job := log.close_job()) is not None:
            job()
        for snapshot in directory.glob("*.snapshot") if not clean else ():
            snapshot.unlink()  # everything is scanned, and every checksum verified
        again = open_log(directory, SMALL, Opening(handles(), run_now, clean=clean))
        written = [pair for _, pairs in batches for pair in pairs]
        assert _records(again) == before
        assert {key: value for _, key, value in before} == dict(written)
        assert again.next_offset == len(written)


@pytest.mark.parametrize("steps", range(14))
def test_a_crash_at_any_step_of_the_swap_loses_nothing(
    open_it: OpenLog, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    log = open_it(SMALL)
    _fill(log)
    before = _records(log)
    plan = compaction.plan(log, NOW_MS)
    assert plan is not None
    compacted = compaction.compact(plan)
    left, rename = [steps], Path.rename

    def rename_or_die(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename_or_die)
        with pytest.raises(KeyboardInterrupt):
            compaction.swap(log, plan, compacted)
    again = open_it(SMALL)
    assert _latest(_records(again)) == _latest(before)
    assert again.next_offset == 80
    _append(again, [(b"after", b"v")])
    assert _compact(again)
    assert _latest(_records(again)) == {**_latest(before), b"after": (80, b"v")}


def test_what_was_planned_before_the_swap_is_known_to_be_stale(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    _fill(log)
    piece = log.locate(5, 1000)
    assert piece is not None and log.holds(piece.segment)
    _compact(log)
    assert not log.holds(piece.segment)


def test_every_codec_that_is_written_is_read() -> None:
    payload = bytes(range(256)) * 10
    for codec in (1, 2, 3, 4):
        assert decompress(codec, compress(codec, payload)) == payload


@pytest.mark.kafka
def test_apache_kafkas_tool_finds_no_fault_with_a_compacted_segment(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    for number in range(40):
        _append(log, [(b"k%d" % (number % 3), b"v%d" % number), (b"u%d" % number, b"once")], codec=number % 5)
    _compact(log)
    files = ",".join(segment.log_path for segment in log.segments)
    options = ("--print-data-log", "--deep-iteration")
    said = run_tool("org.apache.kafka.tools.DumpLogSegments", "--files", files, *options)
    assert "isvalid: false" not in said
    assert said.count("payload: ") == len(_records(log))
