"""Bytes that are no request: the connection is closed, and the server serves others as before."""

import random
from collections.abc import Callable

import pytest
from kafka.protocol.consumer.group import HeartbeatRequest, JoinGroupRequest
from kafka.protocol.metadata import ApiVersionsRequest, FindCoordinatorRequest

from tests.contract.group_client import GroupMember
from tests.contract.wire_client import WireClient


def _frame(request: HeartbeatRequest, version: int) -> bytearray:
    request.API_VERSION = version
    request.with_header(7, "contract")
    return bytearray(request.encode(version=version, header=True))


def _heartbeat() -> bytearray:
    return _frame(HeartbeatRequest(group_id="g", generation_id=1, member_id="m", group_instance_id=None), 4)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00\x0c",
        bytes(_heartbeat()[:-3]),
        _frame(HeartbeatRequest(group_id=None, generation_id=1, member_id="m", group_instance_id=None), 4),
        _frame(FindCoordinatorRequest(key_type=0, coordinator_keys=[None]), 4),
        _frame(JoinGroupRequest(group_id="g", member_id="", protocol_type="p", protocols=None), 9),
        b"\x7f\xff" + _heartbeat()[2:],
        _heartbeat()[:2] + b"\x00\x63" + _heartbeat()[4:],
    ],
    ids=["empty", "no header", "cut", "null string", "null in array", "null array", "unknown key", "unknown version"],
)
def test_a_request_that_cannot_be_read_closes_the_connection(wire: WireClient, frame: bytes) -> None:
    wire.send_frame(bytes(frame))
    assert wire.receive_frame() == b""


def test_noise_in_requests_harms_nobody_else(
    connect: Callable[[], WireClient], group_name: str, wire: WireClient
) -> None:
    noise = random.Random(group_name)
    for _ in range(200):
        frame = _heartbeat()
        for _ in range(noise.choice((1, 2, 5))):
            frame[noise.randrange(len(frame))] = noise.randrange(256)
        stranger = connect()
        stranger.send_frame(bytes(frame))
        stranger.close()
    assert GroupMember(wire, group_name).join().error_code != 0
    assert (
        wire.call(ApiVersionsRequest(client_software_name="contract", client_software_version="1"), 4).error_code == 0
    )
