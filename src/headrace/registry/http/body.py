"""Request bodies and query parameters. Sans-IO. Unknown fields are passed over, as Confluent's registry does."""

import json
from collections.abc import Mapping
from typing import Any

from headrace.registry.catalog import Proposal
from headrace.registry.errors import BAD_REQUEST, NOT_A_BODY, RegistryError
from headrace.registry.schema import AVRO, Reference


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object, whatever the content type says. Raises RegistryError."""
    if not body.strip():
        raise RegistryError(NOT_A_BODY, "The request has no body; a JSON object is expected")
    try:
        value = json.loads(body)
    except ValueError as error:
        raise RegistryError(BAD_REQUEST, f"The request's body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RegistryError(BAD_REQUEST, f"The request's body must be a JSON object, not {type(value).__name__}")
    return value


def proposal(subject: str, body: bytes) -> Proposal:
    """The schema that a body brings. Raises RegistryError that names a field of the wrong type."""
    fields = parse_object(body)
    try:
        references = tuple(Reference.of(each) for each in fields.get("references") or ())
    except (ValueError, AttributeError) as error:
        raise RegistryError(NOT_A_BODY, f"references: {error}") from error
    return Proposal(
        subject,
        _typed(fields, "schema", str, ""),
        _typed(fields, "schemaType", str, AVRO),
        references,
        _typed(fields, "metadata", dict, None),
        _typed(fields, "ruleSet", dict, None),
        _typed(fields, "id", int, -1),
        _typed(fields, "version", int, 0),
    )


def _typed(fields: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        nouns = {str: "a string", dict: "an object", int: "a number"}
        raise RegistryError(NOT_A_BODY, f"{name} must be {nouns[kind]}, not {json.dumps(value)[:80]}")
    return value


def flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() == "true"


def page(query: Mapping[str, str], found: list[Any]) -> list[Any]:
    """The part of a list that `offset` and `limit` ask for. Raises RegistryError where one is no number."""
    offset, limit = _number(query, "offset", 0), _number(query, "limit", -1)
    return found[max(0, offset) :][: limit if limit >= 0 else None]


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(query.get(name, default))
    except ValueError:
        raise RegistryError(404, "HTTP 404 Not Found") from None


def identifier(text: str) -> int:
    """The id in a path. Raises RegistryError: a path whose id is no number leads nowhere."""
    try:
        return int(text)
    except ValueError:
        raise RegistryError(404, "HTTP 404 Not Found") from None
