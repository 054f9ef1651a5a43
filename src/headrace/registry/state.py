"""The state of a registry: a fold over the records of the `_schemas` topic. Sans-IO; one owner, others hold its lock.

It keeps what Confluent's caches keep (InMemoryCache, KafkaStoreMessageHandler), so that both read one topic alike: ids
stay known after a soft delete, a schema that comes with the id of another one is passed over, a record that cannot be
read is passed over with a line in the log.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from headrace.registry.records import Key, KeyType, decode_value, schema_of
from headrace.registry.schema import DEFAULT_CONTEXT, Content, Reference, Schema, context_of

log = logging.getLogger(__name__)

SubjectVersion = tuple[str, int]


class State:
    """What the topic says."""

    def __init__(self) -> None:
        self.subjects: dict[str, dict[int, Schema]] = {}
        self.configs: dict[str | None, dict[str, Any]] = {}
        self.modes: dict[str | None, str] = {}
        self.contexts: set[str] = {DEFAULT_CONTEXT}
        self._by_id: dict[tuple[str, int], dict[str, int]] = {}
        self._by_guid: dict[tuple[str, str], int] = {}
        self._max_ids: dict[str, int] = {}
        self._referrers: dict[SubjectVersion, set[SubjectVersion]] = {}

    # Reading.

    def versions(self, subject: str, *, deleted: bool = False) -> list[Schema]:
        """The versions of a subject, the oldest first; with `deleted` those that are marked as such too."""
        found = self.subjects.get(subject, {})
        return [found[version] for version in sorted(found) if deleted or not found[version].deleted]

    def version(self, subject: str, version: int) -> Schema | None:
        return self.subjects.get(subject, {}).get(version)

    def all_versions(self) -> Iterator[Schema]:
        """Every version of every subject, in the order of their names."""
        for subject in sorted(self.subjects):
            yield from self.versions(subject, deleted=True)

    def versions_with_id(self, id_: int, context: str = DEFAULT_CONTEXT) -> list[Schema]:
        """The version of each subject that has this id."""
        found = self._by_id.get((context, id_), {})
        schemas = (self.version(subject, version) for subject, version in found.items())
        return [schema for schema in schemas if schema is not None]

    def id_of(self, content: Content, context: str = DEFAULT_CONTEXT) -> int | None:
        """The id that this content is known by."""
        return self.id_with_guid(content.guid, context)

    def id_with_guid(self, guid: str, context: str = DEFAULT_CONTEXT) -> int | None:
        id_ = self._by_guid.get((context, guid))
        return id_ if id_ is not None and self._by_id.get((context, id_)) else None

    def max_id(self, context: str = DEFAULT_CONTEXT) -> int:
        return self._max_ids.get(context, 0)

    def referrers(self, subject: str, version: int, *, deleted: bool) -> list[Schema]:
        """The versions that refer to this one; with `deleted` also those that are marked as deleted."""
        found = (self.version(*each) for each in sorted(self._referrers.get((subject, version), ())))
        return [schema for schema in found if schema is not None and (deleted or not schema.deleted)]

    # Folding.

    def apply(self, key_bytes: bytes | None, value_bytes: bytes | None) -> None:
        """Take one record of the topic. Never raises: what cannot be read is logged and passed over."""
        try:
            if key_bytes is not None:
                key = Key.decode(key_bytes)
                self._fold(key, None if value_bytes is None else decode_value(value_bytes))
        except (ValueError, TypeError, KeyError) as error:
            log.error("A record of the schemas topic cannot be read and is passed over: %s: %s", key_bytes, error)

    def _fold(self, key: Key, value: dict[str, Any] | None) -> None:
        match key.type:
            case KeyType.SCHEMA:
                assert key.subject is not None and key.version is not None
                self._fold_schema((key.subject, key.version), value)
            case KeyType.CONFIG:
                _set_or_drop(self.configs, key.subject, None if value is None else _without_subject(value))
            case KeyType.MODE:
                _set_or_drop(self.modes, key.subject, None if value is None else str(value["mode"]))
            case KeyType.DELETE_SUBJECT if value is not None:
                self._mark_deleted(value["subject"], int(value["version"]))
            case KeyType.CLEAR_SUBJECT if value is not None:
                self._clear(value.get("subject"))
            case KeyType.CONTEXT if value is not None:
                self.contexts.add(str(value["context"]))
            case _:
                pass

    def _fold_schema(self, at: SubjectVersion, value: dict[str, Any] | None) -> None:
        if value is None:
            self._forget(at)
            return
        schema = schema_of(value)
        known = self.versions_with_id(schema.id, schema.context)
        if known and known[0].content.text != schema.content.text:
            log.error("Id %d came a second time, with another schema, in %s: passed over", schema.id, at)
            return
        self._keep(at, schema)

    def _keep(self, at: SubjectVersion, schema: Schema) -> None:
        context = schema.context
        self.subjects.setdefault(at[0], {})[at[1]] = schema
        self._by_id.setdefault((context, schema.id), {})[at[0]] = at[1]
        self._by_guid[context, schema.guid] = schema.id
        self._max_ids[context] = max(schema.id, self._max_ids.get(context, 0))
        self.contexts.add(context)
        if not schema.deleted:
            for reference in schema.content.references:
                self._referrers.setdefault(_target(reference), set()).add(at)

    def _forget(self, at: SubjectVersion) -> None:
        subject, version = at
        schema = self.subjects.get(subject, {}).pop(version, None)
        if schema is None:
            return
        if not self.subjects[subject]:
            del self.subjects[subject]
        by_id = self._by_id.get((schema.context, schema.id), {})
        if by_id.get(subject) == version:
            del by_id[subject]
        for reference in schema.content.references:
            self._referrers.get(_target(reference), set()).discard(at)

    def _mark_deleted(self, subject: str, until: int) -> None:
        versions = self.subjects.get(subject, {})
        for version, schema in versions.items():
            if version <= until:
                versions[version] = replace(schema, deleted=True)

    def _clear(self, subject: str | None) -> None:
        matches = _matcher(subject)
        for schema in list(self.all_versions()):
            if schema.deleted and matches(schema.subject):
                self._forget((schema.subject, schema.version))


def _target(reference: Reference) -> SubjectVersion:
    return reference.subject, reference.version


def _without_subject(value: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name not in ("subject", "offset", "ts")}


def _set_or_drop(entries: dict[str | None, Any], subject: str | None, value: Any) -> None:
    if value is None:
        entries.pop(subject, None)
    else:
        entries[subject] = value


def _matcher(subject: str | None) -> Callable[[str], bool]:
    """Which subjects a CLEAR_SUBJECT means: one, those of a context, or all."""
    if subject is None:
        return lambda _: True
    context = context_of(subject)
    if subject == f":{context}:":
        return lambda name: context_of(name) == context
    return lambda name: name == subject
