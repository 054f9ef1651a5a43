"""Requests that librdkafka writes in its own way, and that Apache Kafka reads."""

import pytest

from headrace.wire.codec import decode_request
from headrace.wire.frame import MalformedFrame, parse_header

ALL_TOPICS = bytes.fromhex("0003000d00000003000772646b61666b610000000000010000")


def test_all_topics_as_librdkafka_asks_for_them_are_all_topics() -> None:
    frame = memoryview(ALL_TOPICS)
    request = decode_request(parse_header(frame), frame)
    assert request.topics is None


@pytest.mark.parametrize("more", [b"\x00", b"\x00\x00\x00\x00"])
def test_other_bytes_behind_a_request_are_refused(more: bytes) -> None:
    frame = memoryview(ALL_TOPICS + more)
    with pytest.raises(MalformedFrame, match="ends at byte"):
        decode_request(parse_header(frame), frame)
