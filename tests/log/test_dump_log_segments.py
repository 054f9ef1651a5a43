"""Apache Kafka's own tool reads what the log writes, and finds no fault with it."""

import struct
from pathlib import Path

import crc32c
import pytest

from headrace.log.batch import check_produced
from headrace.log.records import NewRecord, build_batch
from headrace.log.settings import LogSettings
from tests.kafka.cluster import run_tool
from tests.log.conftest import NOW_MS, OpenLog, append

pytestmark = pytest.mark.kafka
SMALL = LogSettings(segment_bytes=2000, index_interval_bytes=300)


def _dump(*paths: Path, options: tuple[str, ...] = ()) -> str:
    files = ",".join(str(path) for path in paths)
    return run_tool("org.apache.kafka.tools.DumpLogSegments", "--files", files, *options)


@pytest.fixture
def directory(open_it: OpenLog) -> Path:
    log = open_it(SMALL)
    for at in range(40):
        append(log, b"a%d" % at, b"b%d" % at, now_ms=NOW_MS + at)
    batch = build_batch([NewRecord(b"k", b"v")] * 3, NOW_MS + 50)
    struct.pack_into(">qhi", batch, 43, 4711, 2, 7)
    struct.pack_into(">I", batch, 17, crc32c.crc32c(bytes(batch[21:])))
    log.append(batch, check_produced(memoryview(batch), 1 << 20), NOW_MS)
    job = log.close_job()
    assert job is not None
    job()
    return log.directory


def test_every_record_of_every_segment_is_valid(directory: Path) -> None:
    said = _dump(*sorted(directory.glob("*.log")), options=("--print-data-log", "--deep-iteration"))
    assert said.count("payload: a") == 40
    assert "isvalid: false" not in said
    assert "invalid bytes" not in said
    assert "offset: 82 " in said


def test_indexes_lead_to_the_batches_they_name(directory: Path) -> None:
    said = _dump(*sorted(directory.glob("*.index")), *sorted(directory.glob("*.timeindex")))
    assert said.count("position: ") > 5
    assert said.count("timestamp: ") > 5
    for fault in ("Mismatches", "Out of order", "not found", "Indexed offset"):
        assert fault not in said


def test_snapshots_name_the_producers(directory: Path) -> None:
    said = _dump(max(directory.glob("*.snapshot")))
    assert "producerId: 4711 producerEpoch: 2" in said
    assert "lastSequence: 9" in said
    assert "lastOffset: 82 offsetDelta: 2" in said
