"""Connect's `org.apache.kafka.connect.data.Values`: values from text whose type nobody said, to text, and from one type
to another. SimpleHeaderConverter, Cast and the transforms on headers are made of it.

Where it differs from Java's class: dates and times without a zone are UTC, whatever the machine's zone is; what Python
cannot hold (a date beyond the years 1 to 9999, a Time of 24 hours or more, a map with a map or both `1` and `true` for
keys) stays the text that it was.
"""

from headrace.connect.api.values.convert import (
    convert,
    to_boolean,
    to_date,
    to_decimal,
    to_float32,
    to_float64,
    to_int8,
    to_int16,
    to_int32,
    to_int64,
    to_list,
    to_map,
    to_string,
    to_struct,
    to_time,
    to_timestamp,
)
from headrace.connect.api.values.parse import SchemaAndValue, parse_string

__all__ = [
    "SchemaAndValue",
    "convert",
    "parse_string",
    "to_boolean",
    "to_date",
    "to_decimal",
    "to_float32",
    "to_float64",
    "to_int8",
    "to_int16",
    "to_int32",
    "to_int64",
    "to_list",
    "to_map",
    "to_string",
    "to_struct",
    "to_time",
    "to_timestamp",
]
