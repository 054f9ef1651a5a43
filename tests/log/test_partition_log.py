"""A partition's log: appended at the end, read anywhere, rolled, let go of by retention."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.log.batch import headers, read_header
from headrace.log.errors import BatchLargerThanSegment, InvalidTimestamp, OffsetOutOfRange, StorageError
from headrace.log.lookup import first_at_or_after, largest
from headrace.log.partition_log import PartitionLog, Slice
from headrace.log.recovery import Opening, open_log
from headrace.log.settings import LogSettings
from tests.log.conftest import NOW_MS, OpenLog, append, contents, processes

SMALL = LogSettings(segment_bytes=1000, index_interval_bytes=200)


def _read(piece: Slice) -> bytes:
    return Path(piece.path).read_bytes()[piece.position : piece.position + piece.size]


def _filled(log: PartitionLog, batches: int = 60) -> list[tuple[int, bytes]]:
    for at in range(batches):
        append(log, b"a%d" % at, b"b%d" % at, now_ms=NOW_MS + at * 10)
    return contents(log)  # type: ignore[return-value]


def test_offsets_follow_each_other_across_segments(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    assert [offset for offset, _ in _filled(log)] == list(range(120))
    assert len(log.segments) >= 5
    assert [segment.base_offset for segment in log.segments] == sorted({s.base_offset for s in log.segments})


def test_every_offset_is_found_by_its_batch(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    _filled(log)
    for offset in range(120):
        piece = log.locate(offset, 1 << 20)
        assert piece is not None
        first = read_header(_read(piece))
        assert first.base_offset <= offset <= first.last_offset
        assert piece.first_batch_size == first.size


def test_a_read_ends_with_its_segment_and_within_its_limit(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    _filled(log)
    whole = log.locate(0, 1 << 20)
    cut = log.locate(0, 150)
    assert whole is not None and cut is not None
    assert [header.last_offset + 1 for _, header in headers(_read(whole))][-1] == log.segments[1].base_offset
    assert cut.size == 150
    assert not whole.is_hot
    hot = log.locate(log.next_offset - 1, 1 << 20)
    assert hot is not None and hot.is_hot
    assert log.read_hot(hot) == _read(hot)


def test_outside_of_the_log_there_is_nothing(open_it: OpenLog) -> None:
    log = open_it()
    append(log, b"a")
    assert log.locate(1, 100) is None
    for offset in (-1, 2):
        with pytest.raises(OffsetOutOfRange):
            log.locate(offset, 100)


def test_a_batch_larger_than_a_segment_is_refused(open_it: OpenLog) -> None:
    with pytest.raises(BatchLargerThanSegment):
        append(open_it(SMALL), b"v" * 2000)


def test_a_segment_is_rolled_by_the_time_of_its_records(open_it: OpenLog) -> None:
    log = open_it(LogSettings(segment_ms=1000))
    for now_ms in (NOW_MS, NOW_MS + 1000, NOW_MS + 1001, NOW_MS + 2000):
        append(log, b"a", now_ms=now_ms)
    assert [segment.base_offset for segment in log.segments] == [0, 2]


def test_timestamps_out_of_range_are_refused_and_leave_no_trace(open_it: OpenLog) -> None:
    log = open_it(LogSettings(timestamp_before_max_ms=1000, timestamp_after_max_ms=1000))
    from headrace.log.batch import check_produced
    from headrace.log.records import NewRecord, build_batch

    for timestamp in (NOW_MS - 1001, NOW_MS + 1001):
        batch = build_batch([NewRecord(b"k", b"v")], timestamp)
        with pytest.raises(InvalidTimestamp):
            log.append(batch, check_produced(memoryview(batch), 1000), NOW_MS)
    assert (log.next_offset, log.size) == (0, 0)


def test_a_flush_is_due_after_its_time_and_once(open_it: OpenLog) -> None:
    log = open_it(replace(SMALL, flush_ms=100))
    assert not log.is_flush_due(NOW_MS + 1000)
    append(log, b"a")
    append(log, b"b", now_ms=NOW_MS + 90)
    assert not log.is_flush_due(NOW_MS + 99)
    assert log.is_flush_due(NOW_MS + 100)
    log.flush_job()()
    assert not log.is_flush_due(NOW_MS + 1000)


class TestDiskThatFails:
    """Nothing torn is readable after a write that failed, and the log goes on once the disk works again."""

    @pytest.mark.parametrize("at_byte", [0, 1, 60, 100])
    def test_a_short_write_is_undone(self, open_it: OpenLog, monkeypatch: pytest.MonkeyPatch, at_byte: int) -> None:
        log = open_it(SMALL)
        before = _filled(log, 5)
        size = Path(log.active.log_path).stat().st_size

        def fail(descriptor: int, data: bytes, position: int) -> None:
            import os

            os.pwrite(descriptor, bytes(data[:at_byte]), position)
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("headrace.log.segment.write_at", fail)
            with pytest.raises(StorageError, match="No space left"):
                append(log, b"lost")
        assert Path(log.active.log_path).stat().st_size == size
        assert contents(log) == before
        append(log, b"after")
        assert contents(log) == [*before, (10, b"after")]

    def test_a_write_that_cannot_be_undone_closes_the_log_for_writes(
        self, open_it: OpenLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = open_it()
        append(log, b"a")

        def fail(*_: object) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr("headrace.log.segment.write_at", fail)
            patch.setattr("headrace.log.segment.os.ftruncate", fail)
            with pytest.raises(StorageError):
                append(log, b"lost")
        with pytest.raises(StorageError, match="takes no more writes"):
            append(log, b"later")
        assert contents(log) == [(0, b"a")]


class TestRetention:
    """Whole segments, oldest first, never from a log that is only compacted."""

    def test_by_time_the_segments_whose_records_are_all_too_old(self, open_it: OpenLog) -> None:
        log = open_it(LogSettings(segment_bytes=1000, index_interval_bytes=200, retention_ms=300))
        _filled(log)
        expired = log.expired(NOW_MS + 600)
        assert expired
        assert all(segment.max_timestamp < NOW_MS + 300 for segment in expired)
        assert log.start_offset == log.segments[0].base_offset == expired[-1].max_timestamp_offset + 1
        assert log.segments[0].max_timestamp >= NOW_MS + 300

    def test_the_last_segment_is_rolled_first_where_it_is_too_old(self, open_it: OpenLog) -> None:
        log = open_it(LogSettings(retention_ms=300))
        append(log, b"a")
        assert [segment.base_offset for segment in log.expired(NOW_MS + 1000)] == [0]
        assert (log.start_offset, log.next_offset, log.size) == (1, 1, 0)
        append(log, b"b")
        assert contents(log) == [(1, b"b")]

    def test_by_size_what_exceeds_it(self, open_it: OpenLog) -> None:
        log = open_it(LogSettings(segment_bytes=1000, index_interval_bytes=200, retention_bytes=2500, retention_ms=-1))
        _filled(log)
        log.expired(NOW_MS)
        assert 2500 <= log.size < 3500

    def test_what_is_before_the_start_goes_also_where_nothing_is_deleted_by_age(self, open_it: OpenLog) -> None:
        log = open_it(replace(SMALL, deletes=False, compacts=True))
        _filled(log)
        third = log.segments[2].base_offset
        log.delete_before(third + 1)
        assert [segment.base_offset < third for segment in log.expired(NOW_MS)] == [True, True]
        assert (log.start_offset, log.segments[0].base_offset) == (third + 1, third)
        with pytest.raises(OffsetOutOfRange):
            log.locate(third, 100)

    def test_where_all_is_before_the_start_an_empty_segment_is_left(self, open_it: OpenLog) -> None:
        log = open_it(SMALL)
        _filled(log)
        log.delete_before(log.next_offset)
        assert log.expired(NOW_MS)
        assert (log.size, log.start_offset, log.segments[0].base_offset) == (0, 120, 120)
        assert log.expired(NOW_MS) == []
        assert append(log, b"x").base_offset == 120

    def test_a_log_that_is_only_compacted_loses_nothing(self, open_it: OpenLog) -> None:
        log = open_it(
            LogSettings(
                segment_bytes=1000,
                index_interval_bytes=200,
                retention_ms=1,
                retention_bytes=1,
                compacts=True,
                deletes=False,
            )
        )
        before = _filled(log)
        assert log.expired(NOW_MS + 10**9) == []
        assert contents(log) == before


class TestTimestamps:
    """Lookups by timestamp, across segments and index entries."""

    def test_the_first_record_that_is_not_older(self, open_it: OpenLog) -> None:
        log = open_it(SMALL)
        _filled(log)
        for at in range(60):
            for asked in (NOW_MS + at * 10 - 9, NOW_MS + at * 10):
                found = first_at_or_after(log, asked)()
                assert found is not None
                assert (found.offset, found.timestamp) == (at * 2, NOW_MS + at * 10)
        assert first_at_or_after(log, NOW_MS + 591)() is None

    def test_the_largest_timestamp_need_not_be_the_last(self, open_it: OpenLog) -> None:
        log = open_it(SMALL)
        append(log, b"a", now_ms=NOW_MS)
        append(log, b"b", b"c", now_ms=NOW_MS + 500)
        _filled(log, 20)
        found = largest(log)()
        assert found is not None
        assert (found.offset, found.timestamp) == (1, NOW_MS + 500)

    def test_an_empty_log_has_none(self, open_it: OpenLog) -> None:
        log = open_it()
        assert largest(log)() is None
        assert first_at_or_after(log, 0)() is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(
        st.one_of(
            st.binary(max_size=400).map(lambda value: ("append", value)),
            st.sampled_from([("restart", b""), ("crash", b"")]),
        ),
        max_size=30,
    )
)
def test_whatever_happens_every_acknowledged_record_is_there(
    data: list[tuple[str, bytes]], opener: Callable[..., OpenLog], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("model") / "t-0"
    expected: list[tuple[int, bytes]] = []
    with processes() as handles:
        log = open_log(directory, SMALL, Opening(handles(), lambda job: job(), clean=True))
        for action, value in data:
            if action == "append":
                expected.append((append(log, value).base_offset, value))
                continue
            is_clean = action == "restart"
            if is_clean and (job := log.close_job()) is not None:
                job()
            log = open_log(directory, SMALL, Opening(handles(), lambda job: job(), clean=is_clean))
        assert contents(log) == expected == [(at, value) for at, (_, value) in enumerate(expected)]
