"""Records: what was built is read back, whatever the codec; what is no record is refused."""

import struct

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.log.records import CorruptRecords, NewRecord, build_batch, decompress, read_batch

RECORDS = st.lists(
    st.builds(
        NewRecord,
        st.none() | st.binary(max_size=40),
        st.none() | st.binary(max_size=200),
        st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=9)), max_size=3),
    ),
    min_size=1,
    max_size=20,
)


def _xerial(payload: bytes) -> bytes:
    blocks = [payload[at : at + 1000] for at in range(0, len(payload), 1000)]
    packed = [bytes(cramjam.snappy.compress_raw(block)) for block in blocks]
    return b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1) + b"".join(struct.pack(">i", len(p)) + p for p in packed)


CODECS = {
    1: lambda payload: bytes(cramjam.gzip.compress(payload)),
    2: lambda payload: bytes(cramjam.snappy.compress_raw(payload)),
    3: lambda payload: bytes(cramjam.lz4.compress(payload)),
    4: lambda payload: bytes(cramjam.zstd.compress(payload)),
}


@given(RECORDS)
def test_what_was_built_is_read_back(records: list[NewRecord]) -> None:
    read = list(read_batch(build_batch(records, 1234)))
    assert [NewRecord(record.key, record.value, list(record.headers)) for record in read] == records
    assert [record.offset for record in read] == list(range(len(records)))
    assert {record.timestamp for record in read} == {1234}


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_is_read(codec: int) -> None:
    plain = build_batch([NewRecord(b"k", b"v" * 300)] * 10, 1)
    packed = bytearray(plain[:61]) + CODECS[codec](bytes(plain[61:]))
    packed[22] |= codec
    assert [record.value for record in read_batch(packed)] == [b"v" * 300] * 10


def test_snappy_in_the_framing_of_java_is_read() -> None:
    payload = bytes(range(256)) * 20
    assert decompress(2, _xerial(payload)) == payload


@pytest.mark.parametrize("codec", [1, 2, 3, 4, 5])
def test_a_payload_that_does_not_decompress_is_corrupt(codec: int) -> None:
    packed = bytearray(build_batch([NewRecord(b"k", b"v" * 30)], 1))
    packed[22] |= codec
    with pytest.raises(CorruptRecords):
        list(read_batch(packed))
