"""Finds nulls where the protocol allows none: the library decodes a length of -1 as None for every string and array.

Apache Kafka's generated readers refuse such a request and close the connection; so does `codec`.
"""

from functools import cache
from typing import Any, NamedTuple

_TEXT_OR_BYTES = frozenset({"string", "bytes", "records"})


class _Check(NamedTuple):
    """One field: `inner` are the checks of its items, or of itself where it is a struct."""

    name: str
    may_be_null: bool
    is_array: bool
    inner: "tuple[_Check, ...]"
    items_are_text: bool


@cache
def _request_checks(request: Any, version: int) -> tuple[_Check, ...]:
    return _checks(request._struct, version)


def _checks(struct: Any, version: int) -> tuple[_Check, ...]:
    checks = []
    for field in struct.fields.values():
        if field.for_version_q(version) and not field.tagged_field_q(version):
            check = _check(field, version)
            if check is not None:
                checks.append(check)
    return tuple(checks)


def _check(field: Any, version: int) -> _Check | None:
    may_be_null = field.nullable_for_version_q(version)
    if field.is_struct_array():
        return _Check(field.name, may_be_null, True, _checks(field.array_of, version), False)
    if field.is_array():
        return _Check(field.name, may_be_null, True, (), field.array_of.type_str in _TEXT_OR_BYTES)
    if field.is_struct():
        return _Check(field.name, may_be_null, False, _checks(field, version), False)
    if field.type_str in _TEXT_OR_BYTES and not may_be_null:
        return _Check(field.name, False, False, (), False)
    return None


def first_null(message: Any, version: int) -> str | None:
    """The name of the first field of the request that is null and may not be; None where all is well."""
    request: Any = type(message)
    return _first_null(message, _request_checks(request, version))


def _first_null(value: Any, checks: tuple[_Check, ...]) -> str | None:
    for check in checks:
        field = getattr(value, check.name)
        if field is None:
            if not check.may_be_null:
                return check.name
        elif check.items_are_text:
            if None in field:
                return check.name
        elif check.inner:
            for item in field if check.is_array else (field,):
                if (name := _first_null(item, check.inner)) is not None:
                    return f"{check.name}.{name}"
    return None
