"""`Values.parseString`: the type and the value that a text looks like."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

from headrace.connect.api.error import DataError
from headrace.connect.api.java.numbers import decimal_to_float32, exponent_of, float32_text, parse_decimal
from headrace.connect.api.java.text import epoch_millis
from headrace.connect.api.schema import ConnectSchema, SchemaType, decimal, schema
from headrace.connect.api.values import dates
from headrace.connect.api.values.common import CommonSchema
from headrace.connect.api.values.convert import convert

BLANKS: Final = "".join(map(chr, range(0x21)))
"""What `String.trim` takes away."""
_TOKEN: Final = re.compile(r'(?:[^\\:,{}\[\]"]+|\\.?)+|[:,{}\[\]"]', re.DOTALL)
_SPECIAL: Final = re.compile(r'[\\:,{}\[\]"]')
_SHORT_INTEGER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_BEYOND_LONG: Final = Decimal("1e19")
_STRING: Final = schema(SchemaType.STRING)
_BOOLEAN: Final = schema(SchemaType.BOOLEAN)
_FLOAT32: Final = schema(SchemaType.FLOAT32)
_FLOAT64: Final = schema(SchemaType.FLOAT64)
_INT8: Final = schema(SchemaType.INT8)
_INT16: Final = schema(SchemaType.INT16)
_INT32: Final = schema(SchemaType.INT32)
_INT64: Final = schema(SchemaType.INT64)


class SchemaAndValue(NamedTuple):
    schema: ConnectSchema | None
    value: Any


NULL: Final = SchemaAndValue(None, None)
_WORDS: Final = {
    "null": NULL,
    "true": SchemaAndValue(_BOOLEAN, True),
    "false": SchemaAndValue(_BOOLEAN, False),
}


def parse_string(text: str | None) -> SchemaAndValue:
    """The value of a text, with its schema; any text is a string at least.

    Numbers get the smallest type that holds them, arrays and maps a schema where their members have one in common.

    >>> parse_string("[1, 300]").value, parse_string("[1, 300]").schema.value_schema.type
    ([1, 300], <SchemaType.INT16: 'int16'>)
    """
    if text is None:
        return NULL
    if not text:
        return SchemaAndValue(_STRING, text)
    try:
        return _Parser(_Tokens(text)).value() if _SPECIAL.search(text) else _lone(text)
    except (OverflowError, RecursionError):
        # Python has no such date, or the arrays are too deep for it.
        return SchemaAndValue(_STRING, text)


def _lone(text: str) -> SchemaAndValue:
    """A text without delimiters, which is one token: what the parser would find, sooner."""
    stripped = text.strip(BLANKS)
    if stripped in _WORDS:
        return _WORDS[stripped]
    first = stripped[:1]
    is_digit = first.isdecimal() and first <= "\uffff"
    found = _date_or_time(stripped) if is_digit else None
    if found is None and (is_digit or first in ("+", "-")):
        found = _number(stripped)
    return SchemaAndValue(_STRING, text) if found is None else found


class _MisfitError(Exception):
    """The tokens make no array, map or member of one: they are read as something else."""


class _Tokens:
    """A text as delimiters and what is between them; a backslash takes the meaning from the character behind it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._looked_at: str | None = None

    @property
    def mark(self) -> int:
        return self.position - len(self._looked_at or "")

    def rewind(self, mark: int) -> None:
        self.position, self._looked_at = mark, None

    def has_next(self) -> bool:
        return self._looked_at is not None or self.position < len(self.text)

    def next(self) -> str:
        token = self._read() if self._looked_at is None else self._looked_at
        self._looked_at = None
        return token

    def _read(self) -> str:
        found = _TOKEN.match(self.text, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found[0]

    def next_four(self) -> str | None:
        """Four tokens as one text; None, and nothing read, where there are less."""
        start = self.mark
        for _ in range(4):
            if not self.has_next():
                self.rewind(start)
                return None
            self.next()
        return self.text[start : self.position]

    def take(self, expected: str) -> bool:
        """Go past `expected` and the blanks around it, if it comes next. Blanks before something else are lost."""
        if self._looked_at is None:
            if self.position >= len(self.text):
                return False
            self._looked_at = self._read()
        while not self._looked_at.strip(BLANKS) and self.position < len(self.text):
            self._looked_at = self._read()
        if self._looked_at.strip(BLANKS) != expected:
            return False
        self._looked_at = None
        return True


class _Parser:
    def __init__(self, tokens: _Tokens) -> None:
        self._tokens = tokens

    def value(self, *, embedded: bool = False) -> SchemaAndValue:
        """What comes next; where it is `embedded` in an array or map, strings are quoted. Raises _MisfitError there."""
        tokens = self._tokens
        if not tokens.has_next():
            return NULL
        if embedded and tokens.take('"'):
            return self._quoted()
        for word, meaning in _WORDS.items():
            if self._is_word(word, embedded):
                return meaning
        start = tokens.mark
        try:
            if tokens.take("["):
                return self._array()
            if tokens.take("{"):
                return self._map()
        except (_MisfitError, DataError):
            tokens.rewind(start)
        token = tokens.next()
        stripped = token.strip(BLANKS)
        return self._simple(stripped, embedded) if stripped else SchemaAndValue(_STRING, token)

    def _is_word(self, word: str, embedded: bool) -> bool:
        """Whether the next token is `word`, and, outside of arrays and maps, the last one."""
        start = self._tokens.mark
        if self._tokens.take(word) and (embedded or not self._tokens.has_next()):
            return True
        self._tokens.rewind(start)
        return False

    def _simple(self, token: str, embedded: bool) -> SchemaAndValue:
        first = token[0]
        is_digit = first.isdecimal() and first <= "\uffff"
        found = self._date_or_time(token) if is_digit else None
        if found is None and (is_digit or first in "+-"):
            found = _number(token)
        if found is not None:
            return found
        if embedded:
            raise _MisfitError
        return SchemaAndValue(_STRING, self._tokens.text)

    def _date_or_time(self, token: str) -> SchemaAndValue | None:
        """Colons are delimiters, so that a time without backslashes before them is five tokens."""
        start = self._tokens.mark
        remainder = self._tokens.next_four()
        found = _date_or_time(token + remainder) if remainder is not None else None
        if found is None:
            self._tokens.rewind(start)
            found = _date_or_time(token)
        return found

    def _quoted(self) -> SchemaAndValue:
        """Up to the next quote; of what a string can stand for, only dates and times are found. Backslashes stay."""
        content = ""
        while self._tokens.has_next() and not self._tokens.take('"'):
            content += self._tokens.next()
        return _date_or_time(content) or SchemaAndValue(_STRING, content)

    def _array(self) -> SchemaAndValue:
        members: list[SchemaAndValue] = []
        common = CommonSchema()
        while self._tokens.has_next():
            if self._tokens.take("]"):
                return _array_of(members, common.schema)
            if self._tokens.take(","):
                raise _MisfitError
            member = self.value(embedded=True)
            common.add(member.schema)
            members.append(member)
            end = self._tokens.mark
            if self._tokens.take("]"):
                self._tokens.rewind(end)
            elif not self._tokens.take(","):
                raise _MisfitError
        raise _MisfitError

    def _map(self) -> SchemaAndValue:
        entries: list[tuple[SchemaAndValue, SchemaAndValue]] = []
        keys, values = CommonSchema(), CommonSchema()
        while self._tokens.has_next():
            if self._tokens.take("}"):
                return _map_of(entries, keys.schema, values.schema)
            if self._tokens.take(","):
                raise _MisfitError
            key = self.value(embedded=True)
            if key.value is None or not self._tokens.take(":"):
                raise _MisfitError
            value = self.value(embedded=True)
            entries.append((key, value))
            self._tokens.take(",")
            keys.add(key.schema)
            values.add(value.schema)
        raise _MisfitError


def _date_or_time(text: str) -> SchemaAndValue | None:
    found = dates.read(text.replace("\\:", ":"))
    return None if found is None else SchemaAndValue(*found)


def _array_of(members: list[SchemaAndValue], common: ConnectSchema | None) -> SchemaAndValue:
    """Members without a common schema stay what they are, in an array whose schema names none."""
    made = [_member(common, member) for member in members]
    return SchemaAndValue(schema(SchemaType.ARRAY, value_schema=common), made)


def _map_of(
    entries: list[tuple[SchemaAndValue, SchemaAndValue]], keys: ConnectSchema | None, values: ConnectSchema | None
) -> SchemaAndValue:
    """A schema for the values is kept only beside one for the keys."""
    values = values if keys is not None else None
    latest: dict[Any, tuple[SchemaAndValue, SchemaAndValue]] = {}
    for key, value in entries:
        name = _hashable(key.value)
        if name in latest and isinstance(latest[name][0].value, bool) is not isinstance(name, bool):
            raise OverflowError("Python holds 1 and true for one key")
        latest[name] = latest[name][0] if name in latest else key, value
    made = {_hashable(_member(keys, key)): _member(values, value) for key, value in latest.values()}
    return SchemaAndValue(schema(SchemaType.MAP, key_schema=keys, value_schema=values), made)


def _member(common: ConnectSchema | None, member: SchemaAndValue) -> Any:
    """The value as one of the common schema, or as it is where there is none."""
    if common is None or (member.schema is not common and isinstance(member.value, list | dict)):
        return _bare(*member)
    converted = convert(common, None, member.value)
    if isinstance(member.value, dt.date | dt.time) and epoch_millis(converted) != epoch_millis(member.value):
        raise OverflowError("Java would keep the time in a Date")
    return converted


def _bare(kind: ConnectSchema | None, value: Any) -> Any:
    """A value that loses its schema: a float keeps its digits, 0.1 and not 0.10000000149011612."""
    if kind is _FLOAT32 and isinstance(value, float):
        return float(float32_text(value))
    if kind is None:
        return value
    if isinstance(value, list):
        return [_bare(kind.value_schema, item) for item in value]
    if isinstance(value, dict):
        return {_bare(kind.key_schema, key): _bare(kind.value_schema, item) for key, item in value.items()}
    return value


def _hashable(key: Any) -> Any:
    """A key that Python can look up: a list becomes a tuple."""
    if isinstance(key, dict):
        raise OverflowError("Python has no maps for keys")
    return tuple(map(_hashable, key)) if isinstance(key, list) else key


def _number(token: str) -> SchemaAndValue | None:
    """Whole numbers in the smallest type; others a float as long as that is finite, then a double, then a Decimal."""
    if _SHORT_INTEGER.fullmatch(token):
        return _integer(int(token))
    try:
        number = parse_decimal(token)
    except ValueError:
        return None
    whole = _whole(number)
    if whole is not None:
        return _integer(whole)
    scale = -exponent_of(number)
    if scale:
        for kind, value in ((_FLOAT32, decimal_to_float32(number)), (_FLOAT64, float(number))):
            if abs(value) != float("inf"):
                return SchemaAndValue(kind, value)
    return SchemaAndValue(decimal(scale), number)


def _integer(number: int) -> SchemaAndValue:
    bits = (number if number >= 0 else ~number).bit_length()
    kind = _INT8 if bits < 8 else _INT16 if bits < 16 else _INT32 if bits < 32 else _INT64
    return SchemaAndValue(kind, number)


def _whole(number: Decimal) -> int | None:
    """The number as a long, if it is one. As in Java, 1e19 and beyond are not looked at."""
    if number and not 1 <= number.copy_abs() <= _BEYOND_LONG:
        return None
    whole = int(number)
    return whole if whole == number and -(2**63) <= whole < 2**63 else None
