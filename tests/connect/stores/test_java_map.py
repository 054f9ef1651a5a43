"""A HashMap of byte arrays in Java's serialization: the bytes of Java, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.stores.java_map import NotAMap, dump, load

HEAD = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468"
HEAD += "726573686f6c6478703f400000"
# Recorded from FileOffsetBackingStore of Apache Kafka 4.3.1.
EMPTY = bytes.fromhex(HEAD + "0000000077080000001000000000" + "78")
TWO = bytes.fromhex(HEAD + "0000000c77080000001000000002" + "757200025b42acf317f8060854e0020000787000000002") + b"k2pu"
TWO += bytes.fromhex("71007e000200000002") + b"k1uq\x00~\x00\x02" + b"\x00\x00\x00\x01" + b"vx"


def test_bytes_of_java_are_read_and_written_back_as_they_were():
    assert load(TWO) == {b"k2": None, b"k1": b"v"}
    assert dump(load(TWO)) == TWO
    assert load(EMPTY) == {}
    assert dump({}) == EMPTY


@given(st.dictionaries(st.binary(max_size=50), st.none() | st.binary(max_size=50), max_size=60))
def test_every_map_comes_back(entries):
    assert load(dump(entries)) == entries


@pytest.mark.parametrize(("entries", "buckets"), [(0, 16), (12, 16), (13, 32), (24, 32), (25, 64), (48, 64)])
def test_the_number_of_buckets_is_what_put_would_have_made(entries, buckets):
    size = dump({str(number).encode(): b"" for number in range(entries)}).index(b"w\x08") + 2
    data = dump({str(number).encode(): b"" for number in range(entries)})
    assert int.from_bytes(data[size : size + 4], "big") == buckets


def test_an_array_that_java_wrote_once_and_referred_to_is_read():
    """Java writes the same array object as a reference to its first place."""
    data = bytes.fromhex(HEAD + "0000000c77080000001000000001") + TWO[TWO.index(b"ur\x00\x02[B") : TWO.index(b"pu")]
    assert load(data + bytes.fromhex("71007e0003") + b"x") == {b"k2": b"k2"}


@pytest.mark.parametrize("length", [0, 3, 4, 30, len(TWO) - 1])
def test_bytes_that_end_too_early_are_told_apart_from_other_bytes(length):
    with pytest.raises(EOFError):
        load(TWO[:length])


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"offset=1\n", "no file of Java's serialization"),
        (TWO.replace(b"java.util.HashMap", b"java.util.HashSet"), "expected HashMap but found java.util.HashSet"),
        (TWO.replace(b"[B", b"[C"), "no array of bytes"),
        (TWO.replace(b"uq\x00~\x00\x02", b"uq\x00~\x00\x7f"), "a reference to nothing"),
        (TWO.replace(b"uq\x00~\x00\x02", b"uq\x00~\x00\x01"), "a reference to no class"),
        (TWO.replace(b"pu", b"Pu"), "0x50"),
        (TWO[:-1] + b"y", "the map's end"),
    ],
)
def test_bytes_that_are_something_else_are_named(data, part):
    with pytest.raises(NotAMap, match=part):
        load(data)


@given(st.binary(max_size=200), st.integers(0, len(TWO)))
def test_no_bytes_do_anything_else_than_be_refused(noise, at):
    for data in (noise, TWO[:at] + noise + TWO[at + 1 :]):
        try:
            load(data)
        except (EOFError, NotAMap):
            continue
