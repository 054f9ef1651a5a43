"""DateFormat for whole columns: common patterns by numpy, the rest row by row; both give what DateFormat gives."""

from functools import lru_cache
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import integers
from headrace.connect.api.java.calendar import CUTOVER_DAY, CUTOVER_YEAR, DAY_MS
from headrace.connect.api.java.date_format import DateFormat, element_text
from headrace.connect.api.java.date_pattern import Element, Literal

_LAST_MS: Final = 253_402_300_799_999
"""The end of year 9999."""
_UNITS: Final = {"H": 3_600_000, "m": 60_000, "s": 1_000, "S": 1}
_DIGITS_MAX: Final = 9
_MINUTE_MS: Final = 60_000
_WORTH_A_TABLE: Final = 1_000
"""From so many rows on, a table of a minute's 60,000 texts is made, which takes 10 ms once."""
_NOTHING: Final = pa.scalar("", pa.string())


def format_column(date_format: DateFormat, millis: pa.Int64Array) -> pa.StringArray:
    """The texts of milliseconds since 1970; null stays null."""
    if len(millis) == 0 or millis.null_count == len(millis):
        return pa.nulls(len(millis), pa.string())
    bounds = pc.min_max(millis)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    letters = {part.letter for part in date_format.parts if isinstance(part, Element)}
    if low < CUTOVER_DAY * DAY_MS or high > _LAST_MS or letters & set("YwW"):
        return pa.array([None if ms is None else date_format.format(ms) for ms in millis.to_pylist()], pa.string())
    texts = _texts(date_format.parts, millis.fill_null(low).to_numpy())
    if millis.null_count == 0:
        return texts
    return pc.if_else(millis.is_valid(), texts, pa.scalar(None, pa.string()))


def _texts(parts: tuple[Literal | Element, ...], millis: Any) -> pa.StringArray:
    """Rows of a batch lie close together: what is not of seconds is made once for each minute that occurs."""
    minutes = millis // _MINUTE_MS
    encoded = integers(minutes).dictionary_encode()
    if 4 * len(encoded.dictionary) > len(millis):
        return _joined(parts, _Values(millis), len(millis))
    each, of_minute = _Values(encoded.dictionary.to_numpy() * _MINUTE_MS), millis - minutes * _MINUTE_MS
    columns = []
    for is_fast, run in _runs(parts):
        if is_fast:
            columns.append(_of_minute(run, of_minute))
        else:
            columns.append(_joined(run, each, len(encoded.dictionary)).take(encoded.indices))
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, _NOTHING)


@lru_cache(maxsize=64)
def _runs(parts: tuple[Literal | Element, ...]) -> list[tuple[bool, tuple[Literal | Element, ...]]]:
    """The parts in turns: what is of seconds, with what stands between, and the rest."""
    fast = [isinstance(part, Element) and part.letter in "sS" for part in parts]
    between = [isinstance(part, Literal) and all(fast[max(at - 1, 0) : at + 2 : 2]) for at, part in enumerate(parts)]
    within = [one or other for one, other in zip(fast, between, strict=True)]
    found = groupby(zip(within, parts, strict=True), lambda pair: pair[0])
    return [(is_fast, tuple(part for _, part in run)) for is_fast, run in found]


def _of_minute(parts: tuple[Literal | Element, ...], millis: Any) -> pa.StringArray:
    """The texts of times in a minute."""
    unit = 1 if any(isinstance(part, Element) and part.letter == "S" for part in parts) else 1_000
    if unit == 1 and len(millis) < _WORTH_A_TABLE:
        return _joined(parts, _Values(millis), len(millis))
    return _minute_table(parts, unit).take(integers(millis // unit))


@lru_cache(maxsize=16)
def _minute_table(parts: tuple[Literal | Element, ...], unit: int) -> pa.StringArray:
    """The texts of every `unit` milliseconds of a minute: a megabyte at most, made once for a pattern."""
    moments = np.arange(0, _MINUTE_MS, unit)
    return _joined(parts, _Values(moments), len(moments))


class _Values:
    """The number behind each pattern letter, for each row."""

    def __init__(self, millis: Any) -> None:
        self._days, self._of_day = np.divmod(millis, DAY_MS)
        self._dates = self._days.astype("datetime64[D]")

    def of(self, letter: str) -> Any:
        match letter:
            case "y":
                return self._dates.astype("datetime64[Y]").astype(np.int64) + 1970
            case "M" | "L":
                return self._dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
            case "d" | "F":
                day = (self._dates - self._dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
                return day + 1 if letter == "d" else day // 7 + 1
            case "D":
                return (self._dates - self._dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1
            case "E" | "u":
                return (self._days - 3) % 7 + 1
            case "G":
                return np.ones(len(self._days), np.int64)
            case "a":
                return self._of_day // 43_200_000
            case "H" | "k":
                return self._of_day // 3_600_000
            case "K" | "h":
                return self._of_day // 3_600_000 % 12
            case "m":
                return self._of_day // 60_000 % 60
            case "s":
                return self._of_day // 1_000 % 60
            case "S":
                return self._of_day % 1_000
        return np.zeros(len(self._days), np.int64)


def _joined(parts: tuple[Literal | Element, ...], values: _Values, length: int) -> pa.StringArray:
    """Texts looked up in a table for each element: of one width, they are laid side by side; else they are joined."""
    columns: list[pa.Array] = []
    fixed: list[Any] = []
    for part in parts:
        if isinstance(part, Literal):
            text = np.frombuffer(part.text.encode(), np.uint8)
            fixed.append(np.broadcast_to(text, (length, len(text))))
            continue
        numbers = values.of(part.letter)
        first = int(numbers.min())
        table = [element_text(part, number) for number in range(first, int(numbers.max()) + 1)]
        if len({len(text) for text in table}) == 1:
            bytes_table = np.frombuffer("".join(table).encode(), np.uint8).reshape(len(table), -1)
            fixed.append(bytes_table[numbers - first])
        else:
            columns += [*_side_by_side(fixed, length), pa.array(table).take(integers(numbers - first))]
            fixed = []
    columns += _side_by_side(fixed, length)
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, _NOTHING)


def _side_by_side(parts: list[Any], length: int) -> list[pa.Array]:
    if not parts:
        return []
    data = np.concatenate(parts, axis=1)
    offsets = np.arange(length + 1, dtype=np.int32) * np.int32(data.shape[1])
    return [pa.StringArray.from_buffers(length, pa.py_buffer(offsets), pa.py_buffer(data.tobytes()))]


def parse_column(date_format: DateFormat, texts: pa.StringArray) -> pa.Int64Array:
    """Milliseconds since 1970; null stays null. Raises UnparseableError for the first text that does not match."""
    millis = np.zeros(len(texts), np.int64)
    todo = texts.is_valid().to_numpy(zero_copy_only=False)
    if _is_plain(date_format.parts) and len(texts):
        todo = _parse_plain(date_format.parts, texts, millis, todo)
    rows = np.flatnonzero(todo)
    for row, text in zip(rows.tolist(), texts.take(integers(rows)).to_pylist(), strict=True):
        millis[row] = date_format.parse(text)
    if not texts.null_count:
        return integers(millis)
    return pa.array(millis, mask=texts.is_null().to_numpy(zero_copy_only=False))


def _is_plain(parts: tuple[Literal | Element, ...]) -> bool:
    """Numbers of a known width, at most one of them of a free one, each followed by what cannot be part of a number."""
    elements = [part for part in parts if isinstance(part, Element)]
    letters = [element.letter for element in elements]
    if not set(letters) <= set("yMdHmsS") or len(set(letters)) < len(letters) or not letters:
        return False
    if not all(element.is_number and (element.letter != "y" or element.count == 4) for element in elements):
        return False
    free = [index for index, part in enumerate(parts) if isinstance(part, Element) and part.count == 1]
    if len(free) > 1 or any(isinstance(part, Element) for index in free for part in parts[index + 1 : index + 2]):
        return False
    literals = [part.text for part in parts if isinstance(part, Literal)]
    return all(text.isascii() and text[0] not in "0123456789E" for text in literals)


class _Place(NamedTuple):
    part: Literal | Element
    start: int
    stop: int


def _places(parts: tuple[Literal | Element, ...], length: int) -> list[_Place] | None:
    """Where each part lies in a text of that length, or None where the length is not the pattern's."""
    widths = [len(part.text) if isinstance(part, Literal) else part.count for part in parts]
    free = next((index for index, part in enumerate(parts) if isinstance(part, Element) and part.count == 1), None)
    if free is not None:
        widths[free] += length - sum(widths)
        if not 1 <= widths[free] <= _DIGITS_MAX:
            return None
    if sum(widths) != length:
        return None
    stops = np.cumsum(widths).tolist()
    return [_Place(part, stop - width, stop) for part, stop, width in zip(parts, stops, widths, strict=True)]


def _parse_plain(parts: tuple[Literal | Element, ...], texts: pa.StringArray, millis: Any, todo: Any) -> Any:
    """Parse the rows that look exactly as the pattern writes them into `millis`; gives the rows that are left."""
    _, offsets_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if data_buffer is None:
        return todo
    data = np.frombuffer(data_buffer, np.uint8)
    lengths = np.diff(offsets)
    left = todo.copy()
    for length in np.unique(lengths[todo]).tolist():
        places = _places(parts, length)
        if places is None:
            continue
        rows = np.flatnonzero(todo & (lengths == length))
        # Windows of that length over the bytes: a row is one copy, not one look-up a character.
        windows: Any = np.ndarray((len(data) - length + 1,), f"S{length}", data, strides=(1,))
        characters = windows[offsets[rows]].view(np.uint8).reshape(len(rows), length)
        values, good = _read(places, characters)
        millis[rows[good]] = values[good]
        left[rows[good]] = False
    return left


def _read(places: list[_Place], characters: Any) -> tuple[Any, Any]:
    """Milliseconds of each row of characters, and which rows have digits and literals where they belong."""
    good = np.ones(len(characters), bool)
    fields: dict[str, Any] = {}
    for part, start, stop in places:
        found = characters[:, start:stop]
        if isinstance(part, Literal):
            good &= (found == np.frombuffer(part.text.encode(), np.uint8)).all(axis=1)
            continue
        number = np.zeros(len(characters), np.int64)
        for column in range(stop - start):
            digit = found[:, column] - np.uint8(48)
            good &= digit <= 9
            number = number * 10 + digit
        fields[part.letter] = number
    return _millis(fields, good)


def _millis(fields: dict[str, Any], good: Any) -> tuple[Any, Any]:
    zero = np.zeros(len(good), np.int64)
    years = fields.get("y", zero + 1970)
    good &= years > CUTOVER_YEAR
    months = (years - 1970) * 12 + fields.get("M", zero + 1) - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + fields.get("d", zero + 1) - 1
    result = days * DAY_MS
    for letter, unit in _UNITS.items():
        if letter in fields:
            result += fields[letter] * unit
    return result, good
