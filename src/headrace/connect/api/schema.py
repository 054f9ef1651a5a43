"""ConnectSchema: the type of a key or a value, as `org.apache.kafka.connect.data.Schema` has it.

Frozen and interned: two equal schemas are the same object, so that `is` compares them and a batch's run ends where the
object changes. Arrow types are derived from a schema (`column.arrow_type`) and never read back.

Values in rows are plain Python: int, float, bool, str, bytes, list (ARRAY), dict (MAP, and STRUCT by field name), and
for the logical types Decimal, date, time (Date, Time) and datetime in UTC (Timestamp).
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from decimal import Decimal
from threading import Lock
from typing import Any, Final
from weakref import WeakValueDictionary


class SchemaType(enum.Enum):
    """Connect's types; the value is the name that JsonConverter writes."""

    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float"
    FLOAT64 = "double"
    BOOLEAN = "boolean"
    STRING = "string"
    BYTES = "bytes"
    ARRAY = "array"
    MAP = "map"
    STRUCT = "struct"


DECIMAL: Final = "org.apache.kafka.connect.data.Decimal"
"""BYTES; parameters: `scale`, and `connect.decimal.precision` where it is known."""
DATE: Final = "org.apache.kafka.connect.data.Date"
"""INT32: days since 1970-01-01."""
TIME: Final = "org.apache.kafka.connect.data.Time"
"""INT32: milliseconds since midnight."""
TIMESTAMP: Final = "org.apache.kafka.connect.data.Timestamp"
"""INT64: milliseconds since 1970-01-01T00:00:00Z."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a STRUCT."""

    name: str
    schema: "ConnectSchema"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ConnectSchema:
    """A schema; make one with `schema()` or the functions below it, which intern."""

    type: SchemaType
    optional: bool = False
    name: str | None = None
    version: int | None = None
    doc: str | None = None
    default: Any = None
    parameters: tuple[tuple[str, str], ...] = ()
    fields: tuple[Field, ...] = ()
    key_schema: "ConnectSchema | None" = None
    value_schema: "ConnectSchema | None" = None

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.parameters if key == name), None)

    def replace(self, **changes: Any) -> "ConnectSchema":
        """The interned schema that differs from this one in `changes`."""
        return schema(**({name: getattr(self, name) for name in _ATTRIBUTES} | changes))

    def __reduce__(self) -> tuple[Any, ...]:
        return _interned, tuple(getattr(self, name) for name in _ATTRIBUTES)

    def __copy__(self) -> "ConnectSchema":
        return self

    def __deepcopy__(self, memo: object) -> "ConnectSchema":
        return self


_ATTRIBUTES: Final = tuple(field.name for field in dataclass_fields(ConnectSchema))


_pool: WeakValueDictionary[tuple[Any, ...], ConnectSchema] = WeakValueDictionary()
_pool_lock = Lock()


def _interned(*values: Any) -> ConnectSchema:
    key = tuple(_frozen(value) for value in values)
    with _pool_lock:
        known = _pool.get(key)
        if known is None:
            known = _pool[key] = ConnectSchema(*values)
        return known


def _frozen(value: Any) -> Any:
    """What stands for `value` in the pool's key: hashable, and unlike wherever the values differ at all.

    Python holds 1 == 1.0 == True, 0.0 == -0.0 and Decimal("1.0") == Decimal("1.00"); as defaults they differ.
    """
    if isinstance(value, dict):
        return ("dict", tuple((_frozen(key), _frozen(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", tuple(_frozen(item) for item in value))
    if isinstance(value, (bool, int, float, Decimal)):
        return (type(value).__name__, repr(value))
    return value


def schema(
    type: SchemaType,
    *,
    optional: bool = False,
    parameters: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    fields: Iterable[Field] = (),
    **more: Any,
) -> ConnectSchema:
    """The interned schema with these values; `more`: name, version, doc, default, key_schema, value_schema."""
    pairs = tuple(parameters.items()) if isinstance(parameters, Mapping) else tuple(parameters)
    names = ("name", "version", "doc", "default")
    head = [more.pop(name, None) for name in names]
    key_schema, value_schema = more.pop("key_schema", None), more.pop("value_schema", None)
    if more:
        raise TypeError(f"a schema has no {', '.join(more)}")
    return _interned(type, optional, *head, pairs, tuple(fields), key_schema, value_schema)


def struct(fields: Iterable[tuple[str, ConnectSchema]], *, name: str | None = None, **more: Any) -> ConnectSchema:
    """A STRUCT of (name, schema) pairs."""
    return schema(SchemaType.STRUCT, name=name, fields=[Field(key, kind) for key, kind in fields], **more)


def decimal(scale: int, precision: int | None = None, **more: Any) -> ConnectSchema:
    parameters = {"scale": str(scale)} | ({} if precision is None else {"connect.decimal.precision": str(precision)})
    return schema(SchemaType.BYTES, name=DECIMAL, version=1, parameters=parameters, **more)


def date(**more: Any) -> ConnectSchema:
    return schema(SchemaType.INT32, name=DATE, version=1, **more)


def time(**more: Any) -> ConnectSchema:
    return schema(SchemaType.INT32, name=TIME, version=1, **more)


def timestamp(**more: Any) -> ConnectSchema:
    return schema(SchemaType.INT64, name=TIMESTAMP, version=1, **more)
