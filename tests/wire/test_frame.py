"""Frames: headers read by hand, and nothing decoded that is not there to its last byte."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.protocol.api_message import ApiMessage

from headrace.wire import messages
from headrace.wire.codec import decode_request, encode_reply
from headrace.wire.encoding import uvarint
from headrace.wire.frame import MalformedFrame, parse_header, read_uvarint, skip_tags

VERSIONS = [
    (key, version)
    for key, request in messages.REQUESTS.items()
    for version in range(request.valid_versions[0], request.valid_versions[1] + 1)
]


def _frame(key: int, version: int, client_id: str | None = "client") -> bytes:
    """An empty request of that API, as the library writes it."""
    request: ApiMessage = messages.REQUESTS[key](version=version)
    for field in request._struct._fields:
        if field.for_version_q(version) and getattr(request, field.name) is None and field.is_array():
            setattr(request, field.name, [])
    request.with_header(99, client_id)
    return bytes(request.encode(header=True))


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_the_header_of_every_api_and_version_ends_where_the_body_begins(key: int, version: int) -> None:
    frame = memoryview(_frame(key, version))
    header = parse_header(frame)
    assert header[:4] == (key, version, 99, "client")
    assert version == decode_request(header, frame).API_VERSION


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_a_byte_too_many_or_too_few_is_malformed(key: int, version: int) -> None:
    whole = _frame(key, version)
    for frame in (whole + b"\x00", whole[:-1]):
        with pytest.raises(MalformedFrame):
            decode_request(parse_header(memoryview(frame)), memoryview(frame))


@given(st.binary(max_size=60))
def test_whatever_comes_is_read_or_malformed(frame: bytes) -> None:
    try:
        header = parse_header(memoryview(frame))
        if header.body_offset >= 0:
            decode_request(header, memoryview(frame))
    except MalformedFrame:
        pass


@given(st.sampled_from(VERSIONS), st.data())
def test_a_damaged_request_is_read_or_malformed(which: tuple[int, int], data: st.DataObject) -> None:
    frame = bytearray(_frame(*which))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(4, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        header = parse_header(memoryview(frame))
        if header.body_offset >= 0:
            decode_request(header, memoryview(frame))
    except MalformedFrame:
        pass


def test_a_version_that_is_not_known_leaves_the_body_unfound() -> None:
    frame = memoryview(struct.pack(">hhih", 3, 99, 7, -1))
    assert parse_header(frame) == (3, 99, 7, None, -1)


@given(st.integers(0, 2**32 - 1))
def test_varints_are_read_as_written(value: int) -> None:
    assert read_uvarint(memoryview(uvarint(value)), 0) == (value, len(uvarint(value)))


def test_tagged_fields_are_passed_over_and_must_be_whole() -> None:
    tags = b"\x02" + b"\x00\x03abc" + b"\x05\x00"
    assert skip_tags(memoryview(tags), 0) == len(tags)
    for cut in range(len(tags)):
        with pytest.raises(MalformedFrame):
            skip_tags(memoryview(tags[:cut]), 0)
    with pytest.raises(MalformedFrame, match="longer than five bytes"):
        read_uvarint(memoryview(b"\xff" * 6), 0)


def test_replies_begin_with_their_size_and_correlation_id() -> None:
    frame = encode_reply(messages.HeartbeatResponse(error_code=27), 4, 99)
    assert struct.unpack_from(">ii", frame) == (len(frame) - 4, 99)
