"""Headers inserted, dropped and made of fields; topics renamed by expression and by day."""

from typing import Any

import pyarrow as pa
import pytest

from headrace.connect.api import (
    Batch,
    ConfigError,
    DataError,
    Header,
    Record,
    SchemaType,
    Transformation,
    from_records,
    schema,
    struct,
)
from headrace.connect.transforms.drop_headers import DropHeaders
from headrace.connect.transforms.header_from import HeaderFromKey, HeaderFromValue
from headrace.connect.transforms.insert_header import InsertHeader
from headrace.connect.transforms.regex_router import RegexRouter
from headrace.connect.transforms.timestamp_router import TimestampRouter

TEXT = schema(SchemaType.STRING, optional=True)
ROW = struct([("id", schema(SchemaType.INT64)), ("kind", TEXT)], optional=True)
DAY_MS = 86_400_000


def made(kind: type[Transformation], **settings: str) -> Transformation:
    subject = kind()
    subject.configure({name.replace("_", "."): value for name, value in settings.items()})
    return subject


def rows(count: int, **more: Any) -> Batch:
    """A batch of structs."""
    records = [
        Record("t", value_schema=ROW, value={"id": row, "kind": "ab"[row % 2]}, origin_index=row, **more)
        for row in range(count)
    ]
    (batch,) = from_records(records)
    return batch


def test_an_inserted_header_is_one_object_for_all_rows() -> None:
    (batch,) = made(InsertHeader, header="h", value_literal="5").apply_batch(rows(3))
    assert batch.headers is not None
    assert {id(row) for row in batch.headers} == {id(batch.headers[0])}
    assert batch.headers[0] == (Header("h", schema(SchemaType.INT8), 5),)


def test_an_inserted_header_comes_after_those_that_are_there() -> None:
    old = Header("h", None, "old")
    subject = made(InsertHeader, header="h", value_literal="new")
    (batch,) = subject.apply_batch(rows(1, headers=(old,)))
    assert batch.headers == ((old, Header("h", schema(SchemaType.STRING), "new")),)


def test_a_batch_whose_headers_are_all_dropped_has_none() -> None:
    subject = made(DropHeaders, headers="a,b")
    (batch,) = subject.apply_batch(rows(2, headers=(Header("a", None, 1), Header("b", None, 2))))
    assert batch.headers is None


def test_dropped_headers_leave_the_others_in_order() -> None:
    headers = (Header("c", None, 1), Header("a", None, 2), Header("b", None, 3), Header("c", None, 4))
    (batch,) = made(DropHeaders, headers="a, b").apply_batch(rows(2, headers=headers))
    assert batch.headers == ((headers[0], headers[3]),) * 2


def test_moved_fields_are_headers_and_no_fields_any_more() -> None:
    subject = made(HeaderFromValue, fields="kind", headers="h", operation="move")
    (batch,) = subject.apply_batch(rows(3))
    assert batch.headers is not None and batch.value_schema is not None
    assert [header.value for (header,) in batch.headers] == ["a", "b", "a"]
    assert [field.name for field in batch.value_schema.fields] == ["id"]
    assert isinstance(batch.value, pa.StructArray)


def test_rows_with_the_same_text_share_a_header() -> None:
    (batch,) = made(HeaderFromValue, fields="kind", headers="h", operation="copy").apply_batch(rows(8))
    assert batch.headers is not None
    assert len({id(header) for (header,) in batch.headers}) == 2


def test_a_header_of_a_field_that_is_not_there_names_the_field() -> None:
    with pytest.raises(DataError, match="no field lost"):
        made(HeaderFromValue, fields="lost", headers="h", operation="copy").apply_batch(rows(1))


def test_headers_of_a_tombstone_are_refused_as_java_refuses_them() -> None:
    subject = made(HeaderFromValue, fields="id", headers="h", operation="copy")
    with pytest.raises(DataError, match=r"\[header copy\], found: null"):
        subject.apply(Record("t"))


def test_headers_of_a_key_leave_the_value_alone() -> None:
    record = Record("t", key={"a": 1, "b": 2}, value={"a": 3})
    found = made(HeaderFromKey, fields="a", headers="h", operation="move").apply(record)
    assert found == Record("t", key={"b": 2}, value={"a": 3}, headers=(Header("h", None, 1),))


def test_fields_and_headers_of_unlike_number_are_refused_by_both_keys() -> None:
    with pytest.raises(ConfigError) as caught:
        made(HeaderFromValue, fields="a,b", headers="h", operation="copy")
    assert set(caught.value.errors) == {"fields", "headers"}


def test_a_topic_that_matches_is_renamed_and_another_stays() -> None:
    subject = made(RegexRouter, regex="db\\.(.*)", replacement="$1_copy")
    assert [subject.apply_batch(Batch(topic, 1))[0].topic for topic in ("db.users", "other")] == ["users_copy", "other"]


def test_a_bad_expression_is_refused_with_its_key() -> None:
    with pytest.raises(ConfigError) as caught:
        made(RegexRouter, regex="(", replacement="x")
    assert "Unclosed group" in caught.value.errors["regex"][0]


def test_a_bad_replacement_is_refused_once_a_topic_matches() -> None:
    subject = made(RegexRouter, regex="t", replacement="$1")
    assert subject.apply(Record("other")).topic == "other"  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"replacement=\$1 .*No group 1"):
        subject.apply(Record("t"))


def test_a_batch_is_split_by_day_and_its_rows_keep_their_order() -> None:
    records = [Record("t", value=row, timestamp=at, origin_index=row) for row, at in enumerate((0, 1, DAY_MS, 2))]
    (batch,) = from_records(records)
    found = made(TimestampRouter).apply_batch(batch)
    assert [(one.topic, one.value, one.origin_index.to_pylist()) for one in found if one.origin_index] == [
        ("t-19700101", [0, 1], [0, 1]),
        ("t-19700102", [2], [2]),
        ("t-19700101", [3], [3]),
    ]


def test_rows_of_one_day_stay_one_batch() -> None:
    batch = rows(5, timestamp=DAY_MS)
    (found,) = made(TimestampRouter, topic_format="${timestamp}.${topic}").apply_batch(batch)
    assert found.topic == "19700102.t" and found.value is batch.value


def test_a_row_without_timestamp_is_refused() -> None:
    for subject in (made(TimestampRouter),):
        with pytest.raises(DataError, match="Timestamp missing"):
            subject.apply_batch(rows(2))
        with pytest.raises(DataError, match="Timestamp missing"):
            subject.apply(Record("t"))


def test_a_bad_pattern_is_refused_with_its_key() -> None:
    with pytest.raises(ConfigError) as caught:
        made(TimestampRouter, timestamp_format="Q")
    assert "timestamp.format" in caught.value.errors
