"""Opening a log: what a clean stop saves, what a crash leaves, what is cut."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.log.batch import check_produced
from headrace.log.partition_log import PartitionLog
from headrace.log.records import NewRecord, build_batch
from headrace.log.recovery import Opening, open_log
from headrace.log.settings import LogSettings
from tests.log.conftest import NOW_MS, OpenLog, append, contents, never_run, processes, run_now

SMALL = LogSettings(segment_bytes=1000, index_interval_bytes=200)


def _fill(log: PartitionLog, batches: int = 30) -> list[tuple[int, bytes | None]]:
    for at in range(batches):
        append(log, b"a%d" % at, b"b%d" % at)
    return contents(log)


def _from_producer(log: PartitionLog, sequence: int) -> int:
    import struct

    import crc32c

    batch = build_batch([NewRecord(b"k", b"v")], NOW_MS)
    struct.pack_into(">qhi", batch, 43, 9, 0, sequence)
    struct.pack_into(">I", batch, 17, crc32c.crc32c(bytes(batch[21:])))
    return log.append(batch, check_produced(memoryview(batch), 1 << 20), NOW_MS).base_offset


def _stop(log: PartitionLog) -> None:
    job = log.close_job()
    if job is not None:
        job()


def test_after_a_clean_stop_nothing_is_scanned_and_all_is_there(
    open_it: OpenLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_it(SMALL)
    before = _fill(log)
    _stop(log)
    monkeypatch.setattr("headrace.log.recovery._Recovery._scan", None)
    again = open_it(SMALL, clean=True)
    assert contents(again) == before
    assert again.leader_epoch == 0
    _stop(again)
    assert contents(open_it(SMALL, clean=True)) == before


def test_after_a_crash_all_is_there_and_the_epoch_has_risen(open_it: OpenLog) -> None:
    before = _fill(open_it(SMALL))
    again = open_it(SMALL)
    assert contents(again) == before
    assert again.leader_epoch == 1
    assert again.epochs.end_of(0, again.next_offset) == (0, 60)
    append(again, b"c")
    assert open_it(SMALL).leader_epoch == 2


def test_only_what_lies_behind_the_newest_snapshot_is_scanned(
    open_it: OpenLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_it(SMALL)
    before = _fill(log)
    scanned: list[int] = []
    from headrace.log import recovery

    walk = recovery._Recovery._walk

    def note(self: object, segment: object, *args: object, **more: object) -> object:
        scanned.append(segment.base_offset)  # type: ignore[attr-defined]
        return walk(self, segment, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(recovery._Recovery, "_walk", note)
    assert contents(open_it(SMALL)) == before
    assert scanned == [log.active.base_offset]


def test_without_snapshots_everything_is_scanned(opener: Callable[..., OpenLog]) -> None:
    open_it = opener(never_run)
    log = open_it(SMALL)
    before = _fill(log)
    for segment in log.segments:
        Path(segment.stem + ".index").unlink()
    assert contents(open_it(SMALL)) == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_torn_tail_is_cut_at_a_batch_and_the_log_goes_on(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("torn") / "t-0"
    with processes() as handles:
        log = open_log(directory, SMALL, Opening(handles(), run_now, clean=True))
        before = _fill(log, 13)
        path = Path(log.active.log_path)
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            del content[at:]
        else:
            content[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        again = open_log(directory, SMALL, Opening(handles(), run_now, clean=False))
        left = contents(again)
        assert left == before[: len(left)]
        assert len(left) >= log.active.base_offset
        append(again, b"new")
        assert contents(again) == [*left, (again.next_offset - 1, b"new")]


def test_garbage_behind_the_last_batch_is_cut(open_it: OpenLog) -> None:
    log = open_it()
    before = _fill(log, 3)
    with Path(log.active.log_path).open("ab") as file:
        file.write(bytes(500))
    again = open_it()
    assert contents(again) == before
    assert Path(again.active.log_path).stat().st_size == again.active.size


def test_indexes_that_were_lost_are_built_anew(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    _fill(log)
    _stop(log)
    indexes = {path: path.read_bytes() for path in log.directory.glob("*.*index")}
    for path in indexes:
        path.unlink()
    open_it(SMALL, clean=True)
    assert {path: path.read_bytes() for path in log.directory.glob("*.*index")} == indexes


@pytest.mark.parametrize("clean", [True, False])
def test_sequence_checks_survive_a_restart(open_it: OpenLog, clean: bool) -> None:
    log = open_it(SMALL)
    offsets = [_from_producer(log, sequence) for sequence in range(30)]
    if clean:
        _stop(log)
    again = open_it(SMALL, clean=clean)
    for sequence in range(25, 30):
        assert _from_producer(again, sequence) == offsets[sequence]
    assert _from_producer(again, 30) == 30


def test_an_older_snapshot_is_used_where_the_newest_is_damaged(open_it: OpenLog) -> None:
    log = open_it(SMALL)
    for sequence in range(30):
        _from_producer(log, sequence)
    newest = max(log.directory.glob("*.snapshot"))
    newest.write_bytes(b"damaged")
    again = open_it(SMALL)
    assert _from_producer(again, 29) == 29
    assert again.next_offset == 30


def test_what_was_being_deleted_or_made_is_removed(open_it: OpenLog) -> None:
    log = open_it()
    append(log, b"a")
    for name in ("00000000000000000000.log.deleted", "x.snapshot.tmp", "00000000000000000000.log.cleaned"):
        (log.directory / name).write_bytes(b"old")
    open_it()
    assert not [path for path in log.directory.iterdir() if path.suffix in (".deleted", ".tmp", ".cleaned")]


def test_segments_behind_a_torn_one_go_with_it(opener: Callable[..., OpenLog], tmp_path: Path) -> None:
    open_it = opener(never_run)  # no snapshot says that the first segments are on the disk
    log = open_it(SMALL)
    _fill(log)
    first = Path(log.segments[1].log_path)
    content = bytearray(first.read_bytes())
    content[70] ^= 1
    first.write_bytes(content)
    again = open_it(SMALL)
    assert again.next_offset == log.segments[1].base_offset
    assert len(again.segments) == 2
    shutil.rmtree(tmp_path)
