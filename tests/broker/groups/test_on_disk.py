"""`__consumer_offsets` on a real broker's disk: compacted, killed, read back."""

import time
from pathlib import Path

import pytest

from tests.contract.broker_process import BrokerProcess, broker_process
from tests.contract.group_client import await_coordinator, commit, create_topic, fetch_offsets
from tests.contract.wire_client import WireClient

GROUP = "readers"
COMMITS = 1_000


def _offsets_bytes(broker: BrokerProcess) -> int:
    """What the logs of the offsets topic hold; segments come and go while they are counted."""
    total = 0
    for path in broker.directory.glob("data/**/*.log"):
        if path.parent.name.startswith("__consumer_offsets-"):
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                continue
    return total


@pytest.mark.crash
def test_committed_offsets_outlive_compaction_and_a_kill(tmp_path: Path) -> None:
    settings = {
        "offsets.topic.segment.bytes": "1048576",
        "offsets.topic.num.partitions": "2",
        "log.cleaner.backoff.ms": "100",
        "log.segment.delete.delay.ms": "0",
    }
    with broker_process(tmp_path, settings) as broker:
        with WireClient(broker.bootstrap) as wire:
            create_topic(wire, "t", 2)
            await_coordinator(wire, GROUP)
            assert commit(wire, GROUP, "t", {1: 7}) == [0]
            for offset in range(COMMITS):
                assert commit(wire, GROUP, "t", {0: offset}, metadata="m" * 4_000) == [0]
        deadline = time.monotonic() + 30
        while _offsets_bytes(broker) > COMMITS * 4_000 // 2:
            assert time.monotonic() < deadline, "the offsets topic was not compacted"
            time.sleep(0.05)
        broker.kill()
        broker.start()
        with WireClient(broker.bootstrap) as wire:
            assert fetch_offsets(wire, GROUP) == {"t": {0: COMMITS - 1, 1: 7}}
