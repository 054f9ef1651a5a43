"""The records of the `_schemas` topic, byte for byte as Confluent's registry writes them. Sans-IO.

Keys and values are compact JSON, their fields in the order of Confluent's classes (SchemaRegistryKey, SchemaValue and
their kin); fields that are empty are left out. A record without a value is a tombstone.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from headrace.registry.schema import AVRO, Content, Reference, Schema

Record = tuple[bytes, bytes | None]


class KeyType(enum.Enum):
    """What a record is about."""

    CONFIG = "CONFIG"
    SCHEMA = "SCHEMA"
    MODE = "MODE"
    NOOP = "NOOP"
    DELETE_SUBJECT = "DELETE_SUBJECT"
    CLEAR_SUBJECT = "CLEAR_SUBJECT"
    CONTEXT = "CONTEXT"
    ASSOC = "ASSOC"


_SCHEMA_MAGIC: Final = 1
_MAGICS: Final = {KeyType.SCHEMA: (0, 1)}


@dataclass(frozen=True, slots=True)
class Key:
    """A record's key; `version` is there for schemas alone."""

    type: KeyType
    subject: str | None = None
    version: int | None = None

    def encode(self) -> bytes:
        """The bytes of the key.

        >>> Key(KeyType.SCHEMA, "s", 1).encode()
        b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}'
        >>> Key(KeyType.CONFIG).encode()
        b'{"keytype":"CONFIG","magic":0}'
        """
        fields: dict[str, Any] = {"keytype": self.type.value}
        if self.subject is not None:
            fields["subject"] = self.subject
        if self.version is not None:
            fields["version"] = self.version
        fields["magic"] = _SCHEMA_MAGIC if self.type is KeyType.SCHEMA else 0
        return orjson.dumps(fields)

    @classmethod
    def decode(cls, data: bytes) -> "Key":
        """Read a key. Raises ValueError where it is none that Confluent's registry reads."""
        fields = _object(data)
        kind = KeyType(fields.get("keytype"))
        subject, version = fields.get("subject"), fields.get("version")
        if fields.get("magic", 0) not in _MAGICS.get(kind, (fields.get("magic", 0),)):
            raise ValueError(f"can't deserialize a schema for the magic byte {fields.get('magic')}")
        if kind is KeyType.SCHEMA and (not isinstance(subject, str) or type(version) is not int):
            raise ValueError("a schema's key has subject and version")
        return cls(kind, subject, version if kind is KeyType.SCHEMA else None)


def decode_value(data: bytes) -> dict[str, Any]:
    """The fields of a value. Raises ValueError where it is no JSON object."""
    return _object(data)


def _object(data: bytes) -> dict[str, Any]:
    fields = orjson.loads(data)
    if not isinstance(fields, dict):
        raise ValueError(f"expected a JSON object, found {type(fields).__name__}")
    return fields


def schema_record(schema: Schema) -> Record:
    """The record that registers a version, or marks it as deleted."""
    content = schema.content
    fields: dict[str, Any] = {
        "subject": schema.subject,
        "version": schema.version,
        "id": schema.id,
        "schemaType": content.kind,
        "references": [reference.json() for reference in content.references],
        "metadata": content.metadata,
        "ruleSet": content.rule_set,
        "schema": content.text,
        "deleted": schema.deleted,
    }
    return schema_key(schema.subject, schema.version).encode(), _value(fields)


def schema_of(fields: Mapping[str, Any]) -> Schema:
    """The version that a value registers. Raises ValueError where something of it is missing."""
    subject, version, id_, text = (fields.get(key) for key in ("subject", "version", "id", "schema"))
    if not isinstance(subject, str) or type(version) is not int or type(id_) is not int or not isinstance(text, str):
        raise ValueError("a schema's value has subject, version, id and schema")
    references = tuple(Reference.of(each) for each in fields.get("references") or ())
    kind = fields.get("schemaType") or AVRO
    content = Content(kind, text, references, fields.get("metadata"), fields.get("ruleSet"))
    return Schema(subject, version, id_, content, bool(fields.get("deleted")), content.guid)


def schema_key(subject: str, version: int) -> Key:
    return Key(KeyType.SCHEMA, subject, version)


def tombstone(key: Key) -> Record:
    return key.encode(), None


def config_record(subject: str | None, config: Mapping[str, Any]) -> Record:
    return Key(KeyType.CONFIG, subject).encode(), _value({"subject": subject, **config})


def mode_record(subject: str | None, mode: str) -> Record:
    return Key(KeyType.MODE, subject).encode(), _value({"subject": subject, "mode": mode})


def delete_subject_record(subject: str, version: int) -> Record:
    """Marks every version up to this one as deleted."""
    return Key(KeyType.DELETE_SUBJECT, subject).encode(), _value({"subject": subject, "version": version})


def clear_subject_record(subject: str | None) -> Record:
    """Forgets the versions that are marked as deleted."""
    return Key(KeyType.CLEAR_SUBJECT, subject).encode(), _value({"subject": subject})


def _value(fields: Mapping[str, Any]) -> bytes:
    return orjson.dumps({key: value for key, value in fields.items() if value not in (None, "", [], {})})
