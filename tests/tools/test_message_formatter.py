"""From messages to what is printed."""

import struct
import uuid

import pytest

from headrace.tools.command import Refusal
from headrace.tools.message_formatter import Message, MessageFormatter


def message(key: bytes | None = b"k", value: bytes | None = b"v", kind: int = 1) -> Message:
    return Message(3, 42, kind, 1234, [("h", b"1"), ("n", None)], key, value)


def line(one: Message | None = None, **properties: str) -> bytes:
    return MessageFormatter({key.replace("_", "."): text for key, text in properties.items()}).line(one or message())


ALL = {f"print_{part}": "true" for part in ("timestamp", "partition", "offset", "headers", "key")}


def test_a_value_is_printed_alone() -> None:
    assert line() == b"v\n"


def test_parts_are_printed_in_kafkas_order() -> None:
    assert line(**ALL) == b"CreateTime:1234\tPartition:3\tOffset:42\th:1,n:null\tk\tv\n"


def test_separators_and_the_word_for_null_are_given() -> None:
    printed = line(
        message(value=None), **ALL, key_separator="|", headers_separator=";", null_literal="-", line_separator="!"
    )
    assert printed == b"CreateTime:1234|Partition:3|Offset:42|h:1;n:-|k|-!"


def test_a_line_ends_where_the_value_is_not_printed() -> None:
    assert line(print_key="true", print_value="false") == b"k\n"


def test_nothing_is_printed_where_no_part_is() -> None:
    assert line(print_value="false") == b""


@pytest.mark.parametrize(("kind", "text"), [(2, b"LogAppendTime:1234"), (0, b"NO_TIMESTAMP")])
def test_a_timestamp_says_whose_it_is(kind: int, text: bytes) -> None:
    assert line(message(kind=kind), print_timestamp="true", print_value="false") == text + b"\n"


def test_a_message_without_headers_says_so() -> None:
    one = Message(0, 0, 1, 0, [], None, b"v")
    assert line(one, print_headers="true", print_key="true") == b"NO_HEADERS\tnull\tv\n"


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("LongDeserializer", struct.pack(">q", -5), b"-5"),
        ("IntegerDeserializer", struct.pack(">i", 7), b"7"),
        ("ShortDeserializer", struct.pack(">h", 7), b"7"),
        ("DoubleDeserializer", struct.pack(">d", 1.5), b"1.5"),
        ("FloatDeserializer", struct.pack(">f", 0.5), b"0.5"),
        ("BooleanDeserializer", b"\1", b"true"),
        ("UUIDDeserializer", str(uuid.UUID(int=1)).encode(), str(uuid.UUID(int=1)).encode()),
        ("StringDeserializer", "한".encode(), "한".encode()),
    ],
)
def test_javas_deserializers_are_known_by_their_class_names(name: str, data: bytes, text: bytes) -> None:
    name = f"org.apache.kafka.common.serialization.{name}"
    assert line(message(value=data), value_deserializer=name) == text + b"\n"


def test_data_of_another_width_is_refused() -> None:
    with pytest.raises(Refusal, match="Size of data received by LongDeserializer is not 8"):
        line(message(value=b"123"), value_deserializer="org.apache.kafka.common.serialization.LongDeserializer")


def test_an_unknown_deserializer_is_told_and_the_bytes_stay(capsys: pytest.CaptureFixture[str]) -> None:
    assert line(value_deserializer="com.example.Mine") == b"v\n"
    assert "Unable to instantiate a deserializer from com.example.Mine" in capsys.readouterr().err
