"""JSON Schema: checked against its meta-schema; canonical form is compact JSON in the order it was written in.

Whether versions are compatible is not checked yet: `incompatibilities` finds none, and callers must not claim that it
did (`checks_compatibility`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A JSON Schema with the texts that it refers to."""

    value: Any
    references: Mapping[str, str]

    @property
    def canonical(self) -> str:
        return _compact(self.value)

    def normalized(self) -> Self:
        return type(self)(json.loads(_compact(self.value, sort_keys=True)), self.references)

    def resolved(self) -> str:
        return _compact(_without_number_forms(self.value), sort_keys=True)

    def incompatibilities(self, writer: Any) -> list[str]:
        return []


def parse(text: str, references: Mapping[str, str]) -> JsonSchema:
    """Understand a text. Raises ValueError that says what is wrong with it."""
    value = json.loads(text)
    if not isinstance(value, (dict, bool)):
        raise ValueError(f"a JSON schema is an object or a boolean, not {text.strip()[:40]}")
    _check(value)
    return JsonSchema(value, references)


def _check(value: Any) -> None:
    """Against the meta-schema of its draft; one that is not known is taken for granted, as Confluent's does."""
    import jsonschema_rs

    try:
        jsonschema_rs.meta.validate(value)
    except jsonschema_rs.ReferencingError:
        return
    except jsonschema_rs.ValidationError as error:
        where = "/".join(str(step) for step in error.instance_path)
        raise ValueError(f"#/{where}: {error.message}") from error


def _compact(value: Any, *, sort_keys: bool = False) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=sort_keys)


def _without_number_forms(value: Any) -> Any:
    """1.0 is 1: JSON Schema knows numbers by their value."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _without_number_forms(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_number_forms(each) for each in value]
    return value
