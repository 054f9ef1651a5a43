"""InitProducerId (key 22): ids for idempotent producers."""

import time
from typing import Any

import pytest
from kafka.protocol.producer import InitProducerIdRequest

from tests.contract.wire_client import WireClient

COORDINATOR_LOAD_IN_PROGRESS = 14
INVALID_REQUEST = 42


def _ask(wire: WireClient, version: int = 5, **fields: Any) -> Any:
    """Apache Kafka may have to fetch a block of ids first."""
    request = {"transactional_id": None, "transaction_timeout_ms": 1000, **fields}
    deadline = time.monotonic() + 20
    while True:
        answer = wire.call(InitProducerIdRequest(**request), version)
        if answer.error_code != COORDINATOR_LOAD_IN_PROGRESS or time.monotonic() > deadline:
            return answer
        time.sleep(0.02)


@pytest.mark.parametrize("version", range(6))
def test_every_version_gives_an_id_that_nobody_had(wire: WireClient, version: int) -> None:
    first, second = _ask(wire, version), _ask(wire, version)
    assert (first.error_code, first.producer_epoch) == (0, 0)
    assert 0 <= first.producer_id < second.producer_id


def test_an_id_that_the_producer_has_is_replaced(wire: WireClient) -> None:
    answer = _ask(wire, producer_id=5, producer_epoch=3)
    assert (answer.error_code, answer.producer_epoch) == (0, 0)
    assert answer.producer_id != 5


def test_a_transactional_id_is_not_empty(wire: WireClient) -> None:
    assert _ask(wire, transactional_id="").error_code == INVALID_REQUEST


@pytest.mark.parametrize(("producer_id", "producer_epoch"), [(5, -1), (-1, 3)])
def test_an_id_comes_with_its_epoch(wire: WireClient, producer_id: int, producer_epoch: int) -> None:
    assert _ask(wire, producer_id=producer_id, producer_epoch=producer_epoch).error_code == INVALID_REQUEST
