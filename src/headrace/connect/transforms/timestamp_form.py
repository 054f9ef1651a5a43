"""The forms a timestamp may have, each to milliseconds since 1970 and back, for a row and for a column."""

import datetime as dt
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headrace.connect.api import ConnectSchema, DataError, SchemaType, integers
from headrace.connect.api import schema as make_schema
from headrace.connect.api.java.calendar import DAY_MS
from headrace.connect.api.java.date_format import DateFormat, UnparseableError
from headrace.connect.api.java.text import class_text, schema_text
from headrace.connect.api.schema import DATE, TIME, TIMESTAMP, date, time, timestamp
from headrace.connect.transforms.date_columns import format_column, parse_column

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1
PRECISIONS: Final = ("nanoseconds", "microseconds", "milliseconds", "seconds")
_PER_MILLISECOND: Final = {"nanoseconds": 1_000_000, "microseconds": 1_000, "milliseconds": 1, "seconds": 0}


@dataclass(frozen=True, slots=True)
class Settings:
    """`format` and `unix.precision`."""

    date_format: DateFormat | None
    precision: str


class Form(ABC):
    """One form of timestamp."""

    @abstractmethod
    def schema(self, optional: bool) -> ConnectSchema: ...

    @abstractmethod
    def to_millis(self, value: Any, settings: Settings) -> int:
        """Raises DataError."""

    @abstractmethod
    def from_millis(self, millis: int, settings: Settings) -> Any:
        """Raises DataError."""

    @abstractmethod
    def column_to_millis(self, column: pa.Array, settings: Settings) -> pa.Int64Array: ...

    @abstractmethod
    def column_from_millis(self, millis: pa.Int64Array, settings: Settings) -> pa.Array: ...


class _Text(Form):
    def schema(self, optional: bool) -> ConnectSchema:
        return make_schema(SchemaType.STRING, optional=optional)

    def to_millis(self, value: Any, settings: Settings) -> int:
        date_format = _required(settings)
        if not isinstance(value, str):
            raise DataError(f"Expected string timestamp to be a String, but found {class_text(None, value)}")
        try:
            return date_format.parse(value)
        except UnparseableError:
            raise _unparseable(value, date_format) from None

    def from_millis(self, millis: int, settings: Settings) -> str:
        return _required(settings).format(millis)

    def column_to_millis(self, column: pa.Array, settings: Settings) -> pa.Int64Array:
        if column.null_count == len(column):
            return pa.nulls(len(column), pa.int64())
        date_format = _required(settings)
        try:
            return parse_column(date_format, column)
        except UnparseableError as error:
            raise _unparseable(str(error), date_format) from None

    def column_from_millis(self, millis: pa.Int64Array, settings: Settings) -> pa.Array:
        return format_column(_required(settings), millis)


def _required(settings: Settings) -> DateFormat:
    if settings.date_format is None:
        raise DataError("TimestampConverter: a string timestamp can only be read with `format`, which is not set")
    return settings.date_format


def _unparseable(text: str, date_format: DateFormat) -> DataError:
    return DataError(f"Could not parse timestamp: value ({text}) does not match pattern ({date_format.pattern})")


class _Unix(Form):
    """Java's TimeUnit: cut towards zero, and held at the ends of a long."""

    def schema(self, optional: bool) -> ConnectSchema:
        return make_schema(SchemaType.INT64, optional=optional)

    def to_millis(self, value: Any, settings: Settings) -> int:
        if type(value) is not int:
            raise DataError(f"Expected Unix timestamp to be a Long, but found {class_text(None, value)}")
        divisor = _PER_MILLISECOND[settings.precision]
        return _cut(value, divisor) if divisor else _held(value * 1_000)

    def from_millis(self, millis: int, settings: Settings) -> int:
        factor = _PER_MILLISECOND[settings.precision]
        return _held(millis * factor) if factor else _cut(millis, 1_000)

    def column_to_millis(self, column: pa.Array, settings: Settings) -> pa.Int64Array:
        divisor = _PER_MILLISECOND[settings.precision]
        return _each(column, lambda numbers: _cut(numbers, divisor) if divisor else _multiplied(numbers, 1_000))

    def column_from_millis(self, millis: pa.Int64Array, settings: Settings) -> pa.Array:
        factor = _PER_MILLISECOND[settings.precision]
        return _each(millis, lambda numbers: _multiplied(numbers, factor) if factor else _cut(numbers, 1_000))


def _cut(number: Any, divisor: int) -> Any:
    if isinstance(number, int):
        return number // divisor if number >= 0 else -(-number // divisor)
    return (number - np.fmod(number, divisor)) // divisor


def _held(number: int) -> int:
    return max(_LONG_MIN, min(_LONG_MAX, number))


def _multiplied(numbers: Any, factor: int) -> Any:
    if factor == 1:
        return numbers
    limit = _LONG_MAX // factor
    held = np.where(numbers > limit, _LONG_MAX, np.clip(numbers, -limit, limit) * factor)
    return np.where(numbers < -limit, _LONG_MIN, held)


def _each(column: pa.Array, change: Any) -> pa.Int64Array:
    """`change` applied to the numbers of an int64 column; null stays null."""
    if column.null_count == 0:
        return integers(change(column.to_numpy()))
    mask = column.is_null().to_numpy(zero_copy_only=False)
    return pa.array(change(column.fill_null(0).to_numpy()), pa.int64(), mask=mask)


class _Logical(Form):
    """Timestamp, Date and Time, which Java holds alike as `java.util.Date`: each is read for what it is."""

    def to_millis(self, value: Any, settings: Settings) -> int:
        match value:
            case dt.datetime():
                return ((value if value.tzinfo else value.replace(tzinfo=dt.UTC)) - _EPOCH) // _MILLISECOND
            case dt.date():
                return (value - _EPOCH.date()).days * DAY_MS
            case dt.time():
                return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000 + value.microsecond // 1_000
        raise DataError(f"Expected a timestamp, date or time, but found {type(value).__name__}")

    def column_to_millis(self, column: pa.Array, settings: Settings) -> pa.Int64Array:
        if pa.types.is_date32(column.type):
            return _each(column.cast(pa.int32()).cast(pa.int64()), lambda days: days * DAY_MS)
        if pa.types.is_time32(column.type):
            return column.cast(pa.int32()).cast(pa.int64())
        return column.cast(pa.int64())


class _Timestamp(_Logical):
    def schema(self, optional: bool) -> ConnectSchema:
        return timestamp(optional=optional)

    def from_millis(self, millis: int, settings: Settings) -> dt.datetime:
        try:
            return _EPOCH + millis * _MILLISECOND
        except OverflowError:
            raise DataError(f"the timestamp {millis} ms since 1970 lies outside the years 1 to 9999") from None

    def column_from_millis(self, millis: pa.Int64Array, settings: Settings) -> pa.Array:
        return millis.cast(pa.timestamp("ms", tz="UTC"))


class _Date(_Logical):
    def schema(self, optional: bool) -> ConnectSchema:
        return date(optional=optional)

    def from_millis(self, millis: int, settings: Settings) -> dt.date:
        return _Timestamp().from_millis(millis, settings).date()

    def column_from_millis(self, millis: pa.Int64Array, settings: Settings) -> pa.Array:
        try:
            return _each(millis, lambda numbers: numbers // DAY_MS).cast(pa.int32()).cast(pa.date32())
        except pa.ArrowInvalid as error:
            raise DataError(f"a timestamp lies outside the years 1 to 9999, beyond what Date holds: {error}") from error


class _Time(_Logical):
    def schema(self, optional: bool) -> ConnectSchema:
        return time(optional=optional)

    def from_millis(self, millis: int, settings: Settings) -> dt.time:
        return (_EPOCH + millis % DAY_MS * _MILLISECOND).time()

    def column_from_millis(self, millis: pa.Int64Array, settings: Settings) -> pa.Array:
        return _each(millis, lambda numbers: numbers % DAY_MS).cast(pa.int32()).cast(pa.time32("ms"))


FORMS: Final[dict[str, Form]] = {
    "string": _Text(),
    "unix": _Unix(),
    "Date": _Date(),
    "Time": _Time(),
    "Timestamp": _Timestamp(),
}
"""By the names of `target.type`."""
_LOGICAL: Final = {TIMESTAMP: FORMS["Timestamp"], DATE: FORMS["Date"], TIME: FORMS["Time"]}


def form_of_schema(schema: ConnectSchema, field: str) -> Form:
    """The form that values of this schema have. Raises DataError."""
    if schema.name in _LOGICAL:
        return _LOGICAL[schema.name]
    if schema.type is SchemaType.STRING:
        return FORMS["string"]
    if schema.type is SchemaType.INT64:
        return FORMS["unix"]
    where = f"field {field}" if field else "the value"
    raise DataError(
        f"Schema {schema_text(schema)} of {where} does not correspond to a known timestamp type format: only string, "
        "int64 and Connect's Timestamp, Date and Time do"
    )


def form_of_value(value: Any, field: str) -> Form:
    """The form of a value without schema. Raises DataError."""
    if isinstance(value, str):
        return FORMS["string"]
    if type(value) is int:
        return FORMS["unix"]
    if isinstance(value, (dt.date, dt.time)):
        return FORMS["Timestamp"]
    where = f"field {field}" if field else "the value"
    raise DataError(f"TimestampConverter does not support {class_text(None, value)} objects as timestamps ({where})")
