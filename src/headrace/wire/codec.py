"""Decode a request's body and encode a reply's frame, strictly.

The library takes cut frames, trailing bytes, nulls where there can be none, and versions long gone without a word;
`decode_request` does not. Callers have looked up the version in their own table before (a handler's range), so an
unknown one is an error here.
"""

import struct

from headrace.wire import messages
from headrace.wire.frame import MalformedFrame, RequestHeader
from headrace.wire.nulls import first_null

_DECODING_FAULTS = (struct.error, IndexError, ValueError, KeyError, TypeError, OverflowError, MemoryError)


_METADATA = 3


def decode_request(header: RequestHeader, frame: memoryview) -> messages.Message:
    """The request in `frame`, whose header has been parsed. Copies what it keeps. Raises MalformedFrame."""
    request = messages.REQUESTS[header.api_key]
    flexible = request.flexible_version_q(header.api_version)
    decode = request._struct.compiled_decode_from(
        header.api_version, compact=flexible, tagged=flexible, data_class=request[None]
    )
    name = f"{request.__name__} version {header.api_version}"
    try:
        message, end = decode(frame, header.body_offset)
    except _DECODING_FAULTS as error:
        raise MalformedFrame(f"{name} cannot be read: {error}") from error
    if end != len(frame) and not _is_librdkafka_asking_for_all_topics(header, frame):
        raise MalformedFrame(f"{name} ends at byte {end} of a frame of {len(frame)} bytes")
    null = first_null(message, header.api_version)
    if null is not None:
        raise MalformedFrame(f"{name} has a null as {null}, which cannot be null")
    return message


def encode_reply(message: messages.Message, version: int, correlation_id: int) -> bytes:
    """The whole frame of a reply, its size first."""
    message.API_VERSION = version
    message.with_header(correlation_id=correlation_id)
    return bytes(message.encode(header=True, framed=True))


def _is_librdkafka_asking_for_all_topics(header: RequestHeader, frame: memoryview) -> bool:
    """librdkafka (2.16) writes the null array of all topics as four bytes where one is meant, so that three are left.

    Apache Kafka reads the first, and passes over what is left of any request.
    """
    body = frame[header.body_offset :]
    return header.api_key == _METADATA and header.api_version >= 9 and len(body) == 7 and not any(body[:4])
