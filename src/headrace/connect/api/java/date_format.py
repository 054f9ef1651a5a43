"""`java.text.SimpleDateFormat` in English and UTC, lenient as Java's class is: milliseconds to text and back.

`S` is a number of milliseconds and no fraction; a field may have fewer or more digits than letters where the next part
is no number; month 13 is January of the next year; what follows the pattern is passed over.

Where it differs from Java's class: names of time zones are UTC, GMT and offsets alone (`z`).
"""

import datetime as dt
import re
from typing import Final

from headrace.connect.api.java.calendar import CalendarFields, Moment, iso_weekday_to_calendar, moment
from headrace.connect.api.java.date_pattern import Element, Literal, parse_pattern

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
ERAS: Final = ("BC", "AD")
_LONG_ERAS: Final = ("Before Christ", "Anno Domini")
_HALVES: Final = ("AM", "PM")
_ZONES: Final = ("Coordinated Universal Time", "Greenwich Mean Time", "UTC", "GMT")

_FIELDS: Final = {
    "y": "year", "Y": "week_year", "M": "month", "L": "month", "w": "week_of_year", "W": "week_of_month",
    "D": "day_of_year", "d": "day", "F": "weekday_in_month", "u": "weekday", "H": "hour24", "k": "hour24",
    "K": "hour12", "h": "hour12", "m": "minute", "s": "second", "S": "milli",
}  # fmt: skip
_NUMBER: Final = re.compile(r"(-?\d+)(?:E(-?\d{1,9}))?")


class UnparseableError(ValueError):
    """A text that does not match the pattern."""


def value_of(letter: str, at: Moment) -> int:
    """The number behind a pattern letter: what `element_text` writes."""
    match letter:
        case "G":
            return int(at.year > 0)
        case "y":
            return at.year if at.year > 0 else 1 - at.year
        case "Y":
            return at.week_date[0]
        case "M" | "L":
            return at.month
        case "w":
            return at.week_date[1]
        case "W":
            return at.week_of_month
        case "D":
            return at.day_of_year
        case "d":
            return at.day
        case "F":
            return at.weekday_in_month
        case "E" | "u":
            return at.weekday
        case "a":
            return at.hour // 12
        case "H" | "k":
            return at.hour
        case "K" | "h":
            return at.hour % 12
        case "m":
            return at.minute
        case "s":
            return at.second
        case "S":
            return at.milli
    return 0


def element_text(element: Element, value: int) -> str:
    """The text of a pattern element whose number is `value`."""
    count = element.count
    match element.letter:
        case "G":
            return ERAS[value]
        case "y" | "Y" if count == 2:
            return f"{value % 100:02}"
        case "M" | "L" if count >= 3:
            return MONTHS[value - 1] if count >= 4 else MONTHS[value - 1][:3]
        case "E":
            return WEEKDAYS[value - 1] if count >= 4 else WEEKDAYS[value - 1][:3]
        case "u":
            value = (value - 2) % 7 + 1
        case "a":
            return _HALVES[value]
        case "k":
            value = value or 24
        case "h":
            value = value or 12
        case "z":
            return _ZONES[0] if count >= 4 else "UTC"
        case "Z":
            return "+0000"
        case "X":
            return "Z"
    return str(value).zfill(count + (value < 0))


class DateFormat:
    """One pattern. `now` places the years of two digits: from 80 years before it to 20 years after."""

    def __init__(self, pattern: str, now: dt.datetime) -> None:
        """Raises ValueError where the pattern is none, in Java's words."""
        self.pattern = pattern
        self.parts = parse_pattern(pattern)
        for part in self.parts:
            if isinstance(part, Element) and part.letter == "X" and part.count > 3:
                raise ValueError(f"invalid ISO 8601 format: length={part.count}")
        leap_day = (now.month, now.day) == (2, 29)
        start = now.replace(year=now.year - 80, day=28) if leap_day else now.replace(year=now.year - 80)
        self._century_start_year = start.year
        self._century_start_ms = int(start.timestamp() * 1000)

    def format(self, millis: int) -> str:
        at = moment(millis)
        return "".join(
            part.text if isinstance(part, Literal) else element_text(part, value_of(part.letter, at))
            for part in self.parts
        )

    def parse(self, text: str) -> int:
        """Milliseconds since 1970. Raises UnparseableError."""
        parser = _Parser(text, self._century_start_year)
        for index, part in enumerate(self.parts):
            if isinstance(part, Literal):
                parser.literal(part.text)
            else:
                following = self.parts[index + 1] if index + 1 < len(self.parts) else None
                parser.element(part, abuts=isinstance(following, Element) and following.is_number)
        if parser.position == 0:
            raise UnparseableError(text)
        millis = parser.fields.millis()
        if parser.ambiguous_year and millis < self._century_start_ms:
            parser.fields.add_century()
            millis = parser.fields.millis()
        return millis


class _Parser:
    """One text on its way through a pattern."""

    def __init__(self, text: str, century_start_year: int) -> None:
        self.text = text
        self.position = 0
        self.fields = CalendarFields()
        self.ambiguous_year = False
        self._century_start_year = century_start_year

    def literal(self, text: str) -> None:
        if not self.text.startswith(text, self.position):
            raise UnparseableError(self.text)
        self.position += len(text)

    def element(self, element: Element, *, abuts: bool) -> None:
        """Read one element; where a number `abuts` on the next, it takes as many characters as it has letters."""
        start = self.position
        while self.text[self.position : self.position + 1] in (" ", "\t"):
            self.position += 1
        if self.position >= len(self.text):
            raise UnparseableError(self.text)
        if element.is_number:
            self._number(element, start + element.count if abuts else None)
        elif element.letter in "zZX":
            self._zone(element, start)
        else:
            self._name(element, start)

    def _number(self, element: Element, end: int | None) -> None:
        if end is not None and end > len(self.text):
            raise UnparseableError(self.text)
        begin = self.position
        found = _NUMBER.match(self.text, begin, len(self.text) if end is None else end)
        if found is None:
            raise UnparseableError(self.text)
        self.position = found.end()
        self._set(element, _java_int(found), self.text[begin : self.position])

    def _set(self, element: Element, value: int, digits: str) -> None:
        match element.letter:
            case "y" | "Y" if element.count <= 2 and len(digits) == 2 and digits.isdigit():
                value = self._full_year(value)
            case "k":
                value = 0 if value == 24 else value
            case "h":
                value = 0 if value == 12 else value
            case "u":
                value = iso_weekday_to_calendar(value)
        self.fields.set(_FIELDS[element.letter], value)

    def _full_year(self, value: int) -> int:
        first = self._century_start_year % 100
        self.ambiguous_year = value == first
        return value + self._century_start_year // 100 * 100 + (100 if value < first else 0)

    def _name(self, element: Element, start: int) -> None:
        match element.letter:
            case "M" | "L":
                self.fields.set("month", self._one_of([MONTHS, tuple(name[:3] for name in MONTHS)], start) + 1)
            case "E":
                self.fields.set("weekday", self._one_of([WEEKDAYS, tuple(name[:3] for name in WEEKDAYS)], start) + 1)
            case "a":
                self.fields.set("am_pm", self._one_of([_HALVES], start))
            case "G":
                self.fields.set("era", self._one_of([_LONG_ERAS, ERAS], start))

    def _one_of(self, lists: list[tuple[str, ...]], start: int) -> int:
        """Which name stands at `start`, in any case; blanks before a name do not match, as in Java."""
        for names in lists:
            for index, name in enumerate(names):
                if self.text[start : start + len(name)].lower() == name.lower():
                    self.position = start + len(name)
                    return index
        raise UnparseableError(self.text)

    def _zone(self, element: Element, start: int) -> None:
        if element.letter == "X":
            form = ("([+-])(\\d\\d)", "([+-])(\\d\\d)(\\d\\d)", "([+-])(\\d\\d):(\\d\\d)")[element.count - 1]
            if self.text.startswith("Z", self.position):
                self.position += 1
                self.fields.set("zone", 0)
                return
        elif self.text[start : start + 3].upper() == "GMT" and self.text[start + 3 : start + 4] in ("+", "-"):
            self.position, form = start + 3, "([+-])(\\d{1,2}):(\\d\\d)"
        elif self.text[self.position] in "+-":
            form = "([+-])(\\d\\d)(\\d\\d)"
        else:
            self._one_of([_ZONES], self.position)
            self.fields.set("zone", 0)
            return
        self._offset(re.compile(form, re.ASCII).match(self.text, self.position))

    def _offset(self, found: re.Match[str] | None) -> None:
        if found is None:
            raise UnparseableError(self.text)
        hours, minutes = int(found[2]), int(found[3]) if found.re.groups > 2 else 0
        if hours > 23 or minutes > 59:
            raise UnparseableError(self.text)
        self.position = found.end()
        self.fields.set("zone", (hours * 60 + minutes) * 60_000 * (-1 if found[1] == "-" else 1))


def _java_int(found: re.Match[str]) -> int:
    """`Number.intValue` of what Java's number parser makes of the digits: a long cut to 32 bits, or a capped double."""
    if found[2] is None:
        number = int(found[1])
    else:
        value = float(f"{found[1]}e{found[2]}")
        number = int(max(-(2.0**70), min(2.0**70, value)))
    if -(2**63) <= number < 2**63:
        return (number + 2**31) % 2**32 - 2**31
    return 2**31 - 1 if number > 0 else -(2**31)
