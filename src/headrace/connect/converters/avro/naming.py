"""Names that Confluent's converter gives, and the options of the mapping between schemas."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

NAMESPACE: Final = "io.confluent.connect.avro"
DEFAULT_RECORD: Final = f"{NAMESPACE}.ConnectDefault"
MAP_ENTRY: Final = f"{NAMESPACE}.MapEntry"
UNION: Final = f"{NAMESPACE}.Union"
"""The name of a STRUCT that stands for a union: one field a branch, of which one is set."""
ENUM: Final = f"{NAMESPACE}.Enum"
"""The parameter with an enum's name; with `.SYMBOL` behind it, one parameter a symbol."""
FIXED_SIZE: Final = "connect.fixed.size"
PRECISION: Final = "connect.decimal.precision"
INTERNAL_TYPE: Final = "connect.internal.type"
DEFAULT_PRECISION: Final = 64
LOGICAL: Final = {
    "org.apache.kafka.connect.data.Date": "date",
    "org.apache.kafka.connect.data.Time": "time-millis",
    "org.apache.kafka.connect.data.Timestamp": "timestamp-millis",
    "org.apache.kafka.connect.data.Decimal": "decimal",
}
"""Connect's logical types, by Avro's names for them."""

_NAME_START: Final = re.compile("[A-Za-z_]")
_NOT_IN_NAMES: Final = re.compile("[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class AvroOptions:
    """`enhanced.avro.schema.support`, `connect.meta.data`, `scrub.invalid.names` and their like."""

    enhanced: bool = False
    meta_data: bool = True
    scrub: bool = False
    optional_map_keys: bool = False
    flatten_singletons: bool = True
    discard_type_doc_default: bool = False
    ignore_default: bool = False
    """Nulls of optional fields stay null where the field has a default."""


def scrubbed(name: str) -> str:
    """A name that Avro takes, as Confluent's converter makes it of any other.

    >>> scrubbed("my-table"), scrubbed("1st"), scrubbed("a b"), scrubbed("schöne.x")
    ('my_table', 'x1st', 'a_b', 'sch_C3_B6ne.x')
    """
    return ".".join(_scrubbed_part(part) for part in name.split("."))


def _scrubbed_part(part: str) -> str:
    encoded = quote_plus(part, safe="*")
    if not _NAME_START.match(encoded):
        encoded = f"x{encoded}"
    return _NOT_IN_NAMES.sub("_", encoded)


def is_name(name: str) -> bool:
    """Whether Avro takes this as the name of a field or a symbol."""
    return bool(_NAME_START.match(name)) and not _NOT_IN_NAMES.search(name)
