import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.api import (
    Batch,
    ConfigError,
    ConnectSchema,
    DataError,
    Record,
    SchemaType,
    from_records,
    struct,
    to_column,
)
from headrace.connect.api.schema import date, schema, time, timestamp
from headrace.connect.runtime.host.plugins import transform_class
from headrace.connect.transforms import unknown_transform
from headrace.connect.transforms.timestamp_converter import TimestampConverterKey, TimestampConverterValue

TUTORIAL = "yyyy-MM-dd HH:mm:ss.S"
MOMENT = dt.datetime(2026, 11, 22, 17, 30, 55, 5000, dt.UTC)
MOMENT_MS = 1_795_368_655_005
STRING, LONG = schema(SchemaType.STRING), schema(SchemaType.INT64)


def transform(target: str, *, key: bool = False, **properties: Any) -> TimestampConverterValue | TimestampConverterKey:
    made = TimestampConverterKey() if key else TimestampConverterValue()
    made.configure({"target.type": target} | {name.replace("_", "."): value for name, value in properties.items()})
    return made


def converted(
    kind: ConnectSchema | None, value: Any, target: str, **properties: Any
) -> tuple[ConnectSchema | None, Any]:
    """Schema and value of one record, by row and (the same) by column."""
    subject = transform(target, **properties)
    record = Record("t", value_schema=kind, value=value)
    by_row = subject.apply(record)
    (batch,) = from_records([record])
    (by_column,) = (row for made in subject.apply_batch(batch) for row in made.records())
    assert by_column == by_row
    return by_row.value_schema, by_row.value


@pytest.mark.parametrize(
    ("kind", "value", "target", "wanted_schema", "wanted"),
    [
        (timestamp(), MOMENT, "string", STRING, "2026-11-22 17:30:55.5"),
        (STRING, "2026-11-22 17:30:55.5", "Timestamp", timestamp(), MOMENT),
        (timestamp(optional=True), None, "string", schema(SchemaType.STRING, optional=True), None),
        (timestamp(), MOMENT, "unix", LONG, MOMENT_MS),
        (LONG, MOMENT_MS, "Timestamp", timestamp(), MOMENT),
        (timestamp(), MOMENT, "Date", date(), dt.date(2026, 11, 22)),
        (timestamp(), MOMENT, "Time", time(), dt.time(17, 30, 55, 5000)),
        (date(), dt.date(2026, 11, 22), "Timestamp", timestamp(), dt.datetime(2026, 11, 22, tzinfo=dt.UTC)),
        (time(), dt.time(17, 30), "string", STRING, "1970-01-01 17:30:00.0"),
        (timestamp(), dt.datetime(1969, 12, 31, 23, tzinfo=dt.UTC), "Date", date(), dt.date(1969, 12, 31)),
        (timestamp(), dt.datetime(1969, 12, 31, 23, tzinfo=dt.UTC), "Time", time(), dt.time(23)),
        (None, MOMENT, "string", None, "2026-11-22 17:30:55.5"),
        (None, MOMENT_MS, "Timestamp", None, MOMENT),
        (None, "2026-11-22 17:30:55.5", "unix", None, MOMENT_MS),
        (None, None, "string", None, None),
    ],
)
def test_a_whole_value_is_converted(
    kind: ConnectSchema | None, value: Any, target: str, wanted_schema: ConnectSchema | None, wanted: Any
) -> None:
    assert converted(kind, value, target, format=TUTORIAL) == (wanted_schema, wanted)


@pytest.mark.parametrize(
    ("precision", "number", "millis", "back"),
    [
        ("seconds", 5, 5_000, 5),
        ("seconds", -5, -5_000, -5),
        ("microseconds", -1_999, -1, -1_000),
        ("nanoseconds", 1_999_999, 1, 1_000_000),
        ("milliseconds", -1, -1, -1),
    ],
)
def test_unix_times_are_cut_towards_zero(precision: str, number: int, millis: int, back: int) -> None:
    _, moment = converted(LONG, number, "Timestamp", unix_precision=precision)
    assert moment == dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=millis)
    assert converted(timestamp(), moment, "unix", unix_precision=precision) == (LONG, back)


def test_a_long_that_overflows_is_held_at_its_end() -> None:
    limit = 2**63 - 1
    subject = transform("unix", unix_precision="nanoseconds")
    column = pa.array([limit, -limit - 1, 9_223_372_036_854, 9_223_372_036_855, None]).cast(
        pa.timestamp("ms", tz="UTC")
    )
    (batch,) = subject.apply_batch(Batch("t", 5, value_schema=timestamp(), value=column))
    assert batch.value is not None
    assert batch.value.to_pylist() == [limit, -limit - 1, 9_223_372_036_854_000_000, limit, None]  # type: ignore[union-attr]


ROW = struct(
    [
        ("id", schema(SchemaType.INT32)),
        ("at", timestamp(optional=True)),
        ("text", schema(SchemaType.STRING, optional=True, default="d")),
    ],
    name="row", version=2, optional=True,
)  # fmt: skip


def test_a_field_is_converted_and_the_rest_of_the_struct_stays() -> None:
    kind, value = converted(ROW, {"id": 1, "at": MOMENT, "text": "x"}, "string", field="at", format=TUTORIAL)
    assert kind is ROW.replace(
        fields=(ROW.fields[0], type(ROW.fields[0])("at", schema(SchemaType.STRING, optional=True)), ROW.fields[2])
    )
    assert value == {"id": 1, "at": "2026-11-22 17:30:55.5", "text": "x"}


def test_a_null_becomes_its_fields_default_unless_told_otherwise() -> None:
    row = {"id": 1, "at": None, "text": None}
    assert converted(ROW, row, "string", field="at", format=TUTORIAL)[1] == {"id": 1, "at": None, "text": "d"}
    kept = converted(ROW, row, "string", field="at", format=TUTORIAL, replace_null_with_default=False)
    assert kept[1] == row
    assert converted(ROW, None, "string", field="at", format=TUTORIAL)[1] is None


def test_a_null_that_its_field_may_not_have_is_refused_in_rows_and_columns() -> None:
    kind = struct([("id", schema(SchemaType.INT32, default=1)), ("at", timestamp())])
    subject = transform("string", field="at", format=TUTORIAL, replace_null_with_default=False)
    record = Record("t", value_schema=kind, value={"id": None, "at": MOMENT})
    (batch,) = from_records([record])
    for run in (lambda: subject.apply(record), lambda: subject.apply_batch(batch)):
        with pytest.raises(DataError, match='null used for required field: "id"'):
            run()


def test_the_default_of_a_struct_is_converted_with_it() -> None:
    kind = struct([("at", timestamp())], default={"at": MOMENT})
    changed, _ = converted(kind, {"at": MOMENT}, "unix", field="at")
    assert changed is not None and changed.default == {"at": MOMENT_MS}


def test_a_field_that_a_schema_does_not_have_changes_nothing() -> None:
    row = {"id": 1, "at": MOMENT, "text": "x"}
    assert converted(ROW, row, "string", field="other", format=TUTORIAL) == (ROW, row)


def test_a_field_that_a_map_does_not_have_becomes_null() -> None:
    assert converted(None, {"a": 1}, "string", field="at", format=TUTORIAL) == (None, {"a": 1, "at": None})
    assert converted(None, {"at": MOMENT_MS}, "string", field="at", format=TUTORIAL)[1] == {
        "at": "2026-11-22 17:30:55.5"
    }


def test_tombstones_pass_among_rows() -> None:
    records = [Record("t", value_schema=timestamp(), value=MOMENT), Record("t", origin_index=1)]
    (batch,) = from_records(records)
    (made,) = transform("string", format=TUTORIAL).apply_batch(batch)
    assert [(row.value_schema, row.value) for row in made.records()] == [
        (STRING, "2026-11-22 17:30:55.5"),
        (None, None),
    ]
    (only,) = from_records([Record("t")])
    assert transform("string", format=TUTORIAL).apply_batch(only) == [only]


def test_the_key_form_converts_the_key_alone() -> None:
    record = Record("t", timestamp(), MOMENT, timestamp(), MOMENT)
    (batch,) = from_records([record])
    subject = transform("unix", key=True)
    (made,) = (row for run in subject.apply_batch(batch) for row in run.records())
    assert made == subject.apply(record)
    assert (made.key_schema, made.key, made.value) == (LONG, MOMENT_MS, MOMENT)


@pytest.mark.parametrize(
    ("kind", "value", "properties", "message"),
    [
        (STRING, "yesterday", {"format": TUTORIAL}, r"value \(yesterday\) does not match pattern \(yyyy"),
        (STRING, "2026", {}, "only be read with `format`"),
        (schema(SchemaType.INT32), 5, {}, r"Schema\{INT32\} of the value .* only string, int64"),
        (STRING, "x", {"field": "at"}, "Only Struct objects supported"),
        (struct([("at", schema(SchemaType.BOOLEAN))]), {"at": True}, {"field": "at"}, r"Schema\{BOOLEAN\} of field at"),
        (None, True, {}, r"does not support class java.lang.Boolean objects as timestamps \(the value\)"),
        (None, [1], {"field": "at"}, "Only Map objects supported"),
    ],
)  # fmt: skip
def test_a_value_that_is_no_timestamp_is_named(
    kind: ConnectSchema | None, value: Any, properties: dict[str, Any], message: str
) -> None:
    subject = transform("Timestamp", **properties)
    record = Record("t", value_schema=kind, value=value)
    with pytest.raises(DataError, match=message):
        subject.apply(record)
    with pytest.raises(DataError, match=message):
        subject.apply_batch(*from_records([record]))


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, 'Missing required configuration "target.type"'),
        ({"target.type": "date"}, "Invalid value date for configuration target.type: .*string, unix, Date, Time"),
        ({"target.type": "string"}, "requires format option to be specified"),
        ({"target.type": "string", "format": "yyyy b"}, "format=yyyy b: Illegal pattern character 'b'"),
        ({"target.type": "unix", "unix.precision": "days"}, "Invalid value days for configuration unix.precision"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_by_its_key(properties: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TimestampConverterValue().configure(properties)


def test_a_class_name_that_lost_its_dollar_is_understood() -> None:
    name = "org.apache.kafka.connect.transforms.TimestampConverter"
    names = [f"{name}$Key", f"{name}$Value"]
    assert unknown_transform(name, names) == (
        f"there is no transformation {name}: did you mean {name}$Value (or $Key)? an unquoted heredoc drops $Value"
    )
    assert unknown_transform("com.example.Mine", names) == "there is no transformation com.example.Mine"
    with pytest.raises(
        ConfigError, match=r"TimestampConverter\$Value \(or \$Key\)\? an unquoted heredoc drops \$Value$"
    ):
        transform_class(name, "transforms.TimestampConverter.type")


FORMS = st.sampled_from(["string", "unix", "Date", "Time", "Timestamp"])
SOURCES = {"unix": LONG, "Date": date(), "Time": time(), "Timestamp": timestamp()}


@settings(max_examples=100)
@given(
    st.sampled_from(sorted(SOURCES)),
    FORMS,
    st.sampled_from([TUTORIAL, "yyyy-MM-dd'T'HH:mm:ss.SSS", "d MMM yyyy"]),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
    st.lists(st.none() | st.integers(-2_000_000_000_000, 4_000_000_000_000), min_size=1, max_size=5),
)
def test_columns_are_converted_as_rows_are(
    source: str, target: str, pattern: str, precision: str, moments: list[int | None]
) -> None:
    prepare = transform(source)
    there = transform(target, field="at", format=pattern, unix_precision=precision)
    back = transform("Timestamp", field="at", format=pattern, unix_precision=precision)
    row = struct([("at", SOURCES[source].replace(optional=True))])
    values: list[Any] = []
    for moment in moments:
        at = (
            None
            if moment is None
            else dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=moment // 1000)
        )
        made = prepare.apply(Record("t", value_schema=timestamp(optional=True), value=at)).value
        values.append({"at": made} if len(values) % 2 or made is not None else None)
    batch = Batch("t", len(values), value_schema=row.replace(optional=True), value=to_column(row, values))
    records = list(batch.records())
    for subject in (there, back):
        (batch,) = subject.apply_batch(batch)
        records = [subject.apply(record) for record in records]
        assert list(batch.records()) == records
