"""The ISO 8601 forms in which `Values` writes and reads dates and times; lenient, as SimpleDateFormat is."""

import datetime as dt
import re
from functools import cache
from typing import Final

from headrace.connect.api.java.calendar import DAY_MS
from headrace.connect.api.java.date_format import DateFormat, UnparseableError
from headrace.connect.api.schema import ConnectSchema, date, time, timestamp

DATE_SCHEMA: Final = date()
TIME_SCHEMA: Final = time()
TIMESTAMP_SCHEMA: Final = timestamp()

DATE_PATTERN: Final = "yyyy-MM-dd"
TIME_PATTERN: Final = "HH:mm:ss.SSS'Z'"
TIMESTAMP_PATTERN: Final = f"{DATE_PATTERN}'T'{TIME_PATTERN}"
_BY_LENGTH: Final = {
    10: (DATE_PATTERN, DATE_SCHEMA),
    13: (TIME_PATTERN, TIME_SCHEMA),
    24: (TIMESTAMP_PATTERN, TIMESTAMP_SCHEMA),
}
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_WHOLE_YEAR: Final = "1583"
"""Of the Gregorian calendar; before, Java's calendar is not Python's."""
_DAY: Final = r"\d{4}-\d\d-\d\d"
_CLOCK: Final = r"(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}"
_PLAIN: Final = re.compile(rf"({_DAY})|({_CLOCK})Z|({_DAY}T{_CLOCK})Z", re.ASCII)


@cache
def date_format(pattern: str) -> DateFormat:
    """No pattern here has years of two digits, so the time that it is does not matter."""
    return DateFormat(pattern, _EPOCH)


def write(millis: int) -> str:
    """As in Java, the form goes by the value: a Date of 1970-01-01 or earlier looks like a time."""
    if millis < DAY_MS:
        return f"{_time(millis % DAY_MS).isoformat('milliseconds')}Z"
    is_day = millis % DAY_MS == 0
    try:
        at = _EPOCH + dt.timedelta(milliseconds=millis)
    except OverflowError:
        return date_format(DATE_PATTERN if is_day else TIMESTAMP_PATTERN).format(millis)
    return at.date().isoformat() if is_day else f"{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def read(text: str) -> tuple[ConnectSchema, dt.date | dt.time] | None:
    """The value whose form `text` has, by its length, or None. What stands behind the form's end is passed over.

    Raises OverflowError where Python has no such value.
    """
    length = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
    found = _BY_LENGTH.get(length)
    if found is None:
        return None
    pattern, schema = found
    plain = _read_plain(text)
    if plain is not None:
        return schema, plain
    try:
        millis = date_format(pattern).parse(text)
    except UnparseableError:
        return None
    return schema, of_millis(schema, millis)


def _read_plain(text: str) -> dt.date | dt.time | None:
    """What Java's lenient parser and Python's strict one read alike, at a tenth of the cost."""
    found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    day, clock, stamp = found.groups()
    try:
        if clock:
            return dt.time.fromisoformat(clock)
        if text < _FIRST_WHOLE_YEAR:
            return None
        return dt.date.fromisoformat(day) if day else dt.datetime.fromisoformat(stamp).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _time(millis: int) -> dt.time:
    return (_EPOCH + dt.timedelta(milliseconds=millis)).time()


def of_millis(schema: ConnectSchema, millis: int) -> dt.date | dt.time:
    """The Date, Time or Timestamp of milliseconds since 1970. Raises OverflowError where Python has none."""
    at = _EPOCH + dt.timedelta(milliseconds=millis)
    if schema.name == DATE_SCHEMA.name:
        return at.date()
    if schema.name == TIMESTAMP_SCHEMA.name:
        return at
    if not 0 <= millis < DAY_MS:
        raise OverflowError(f"{millis} ms is no time of a day")
    return _time(millis)
