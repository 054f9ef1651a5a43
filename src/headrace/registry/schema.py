"""A schema as it is registered: one version of a subject. Sans-IO."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

AVRO: Final = "AVRO"
DEFAULT_CONTEXT: Final = "."


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A schema of another subject, under the name by which this one uses it."""

    name: str
    subject: str
    version: int

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """From its JSON. Raises ValueError where a part of it is missing."""
        name, subject, version = value.get("name"), value.get("subject"), value.get("version")
        if not isinstance(name, str) or not isinstance(subject, str) or type(version) is not int:
            raise ValueError(f"a reference has name, subject and version, not {dict(value)}")
        return cls(name, subject, version)

    def json(self) -> dict[str, Any]:
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class Content:
    """What makes two schemas the same: text in canonical form, references, metadata and rules."""

    kind: str
    text: str
    references: tuple[Reference, ...] = ()
    metadata: Mapping[str, Any] | None = None
    rule_set: Mapping[str, Any] | None = None

    @property
    def guid(self) -> str:
        """The MD5 of the content as a UUID: Confluent's id across registries."""
        digest = hashlib.md5(b"".join(self._hashed()), usedforsecurity=False).digest()
        return str(uuid.UUID(bytes=digest))

    def _hashed(self) -> Iterator[bytes]:
        yield self.text.encode()
        for reference in self.references:
            yield reference.name.encode() + reference.subject.encode() + reference.version.to_bytes(4, signed=True)
        if self.metadata is not None:
            yield b"\x01"
            yield from _metadata_bytes(self.metadata)
        if self.rule_set is not None:
            yield b"\x01"
            yield from _rule_set_bytes(self.rule_set)


def _metadata_bytes(metadata: Mapping[str, Any]) -> Iterator[bytes]:
    for tag, values in sorted((metadata.get("tags") or {}).items()):
        yield tag.encode()
        yield from (value.encode() for value in sorted(values))
    for name, value in sorted((metadata.get("properties") or {}).items()):
        yield name.encode() + str(value).encode()
    yield from (value.encode() for value in sorted(metadata.get("sensitive") or ()))


def _rule_set_bytes(rule_set: Mapping[str, Any]) -> Iterator[bytes]:
    for kind in ("migrationRules", "domainRules", "encodingRules"):
        for rule in rule_set.get(kind) or ():
            yield from _rule_bytes(rule)
    yield str(rule_set.get("enableAt") or "").encode()


def _rule_bytes(rule: Mapping[str, Any]) -> Iterator[bytes]:
    yield from (str(rule.get(key) or "").encode() for key in ("name", "doc", "kind", "mode", "type"))
    yield from (tag.encode() for tag in sorted(rule.get("tags") or ()))
    for name, value in sorted((rule.get("params") or {}).items()):
        yield name.encode() + str(value).encode()
    yield from (str(rule.get(key) or "").encode() for key in ("expr", "onSuccess", "onFailure"))
    if rule.get("disabled"):
        yield b"\x01"


@dataclass(frozen=True, slots=True)
class Schema:
    """One version of a subject."""

    subject: str
    version: int
    id: int
    content: Content
    deleted: bool = False
    guid: str = ""

    @property
    def context(self) -> str:
        return context_of(self.subject)

    def json(self) -> dict[str, Any]:
        """As REST shows it."""
        return {"subject": self.subject, "version": self.version, "id": self.id, **self.described()}

    def described(self) -> dict[str, Any]:
        """What REST shows of it besides subject, version and id."""
        content = self.content
        shown: dict[str, Any] = {"guid": self.guid, "schemaType": content.kind}
        if content.references:
            shown["references"] = [reference.json() for reference in content.references]
        if content.metadata is not None:
            shown["metadata"] = content.metadata
        if content.rule_set is not None:
            shown["ruleSet"] = content.rule_set
        return {**shown, "schema": content.text, "deleted": self.deleted}


@lru_cache(4096)
def context_of(subject: str | None) -> str:
    """The context that a subject is in: `:.name:subject` names one, any other is in the default one.

    >>> context_of(":.staging:orders-value"), context_of("orders-value")
    ('.staging', '.')
    """
    if subject is None or not subject.startswith(":."):
        return DEFAULT_CONTEXT
    context, colon, _ = subject[1:].partition(":")
    return context if colon else DEFAULT_CONTEXT
