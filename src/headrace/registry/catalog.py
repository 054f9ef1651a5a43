"""What can be asked of a registry's state: look-ups, versions, subjects, config and mode. Sans-IO.

The scope rules are Confluent's: a subject's own setting, else the global one, else the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from headrace.registry import formats
from headrace.registry.compatibility import Level, Previous, differences
from headrace.registry.errors import (
    InvalidSchema,
    RegistryError,
    invalid_version,
    schema_not_found,
    subject_not_found,
    version_not_found,
)
from headrace.registry.formats import ParsedSchema
from headrace.registry.schema import AVRO, DEFAULT_CONTEXT, Content, Reference, Schema, context_of
from headrace.registry.state import State

LATEST: Final = -1
READ_ONLY: Final = ("READONLY", "READONLY_OVERRIDE")
MODES: Final = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD")


def version_number(text: str) -> int:
    """The version that a path names; LATEST for `latest`. Raises RegistryError."""
    if text.strip().lower() == "latest":
        return LATEST
    try:
        number = int(text)
    except ValueError:
        raise invalid_version(text) from None
    if number != LATEST and not 1 <= number < 2**31:
        raise invalid_version(text)
    return number


@dataclass(frozen=True, slots=True)
class Proposal:
    """A schema as a client sends it; `text` is not yet in canonical form."""

    subject: str
    text: str
    kind: str = AVRO
    references: tuple[Reference, ...] = ()
    metadata: Mapping[str, Any] | None = None
    rule_set: Mapping[str, Any] | None = None
    id: int = -1
    version: int = 0


@dataclass(frozen=True, slots=True)
class Understood:
    """A proposal that has been parsed: its content in canonical form."""

    content: Content
    parsed: ParsedSchema


class Catalog:
    """Questions to one state; the caller holds its lock."""

    def __init__(self, state: State, default_level: Level = Level.BACKWARD) -> None:
        self.state = state
        self._default_level = default_level

    # Subjects and versions.

    def has_subject(self, subject: str, *, deleted: bool) -> bool:
        return bool(self.state.versions(subject, deleted=deleted))

    def get(self, subject: str, version: int, *, deleted: bool = False) -> Schema | None:
        """One version; LATEST is the latest that is not deleted."""
        if version == LATEST:
            live = self.state.versions(subject)
            return live[-1] if live else None
        found = self.state.version(subject, version)
        return found if found is not None and (deleted or not found.deleted) else None

    def must_get(self, subject: str, version: int, *, deleted: bool = False) -> Schema:
        """One version. Raises RegistryError that says whether it is the subject or the version that is missing."""
        found = self.get(subject, version, deleted=deleted)
        if found is not None:
            return found
        raise version_not_found(version) if self.has_subject(subject, deleted=deleted) else subject_not_found(subject)

    def with_id(self, id_: int, subject: str | None = None) -> Schema:
        """The schema of an id, in a subject's context; the subject's own version of it where it has one."""
        found = self.state.versions_with_id(id_, context_of(subject))
        if subject and context_of(subject) == DEFAULT_CONTEXT and not found:
            found = self.state.versions_with_id(id_)
        own = [schema for schema in found if schema.subject == subject]
        if not found:
            raise schema_not_found(id_)
        return (own or found)[0]

    # Settings.

    def config(self, subject: str | None) -> dict[str, Any] | None:
        """The config that was set for a subject (None: for all); of all there is always one."""
        own = self.state.configs.get(subject)
        if own is None and subject is not None:
            return None
        return {"compatibilityLevel": self._default_level.value, **_given(own or {})}

    def config_in_scope(self, subject: str | None) -> dict[str, Any]:
        """The config that counts for a subject."""
        everywhere = _given(self.state.configs.get(None) or {})
        own = _given(self.state.configs.get(subject) or {}) if subject is not None else {}
        return {"compatibilityLevel": self._default_level.value, **everywhere, **own}

    def mode(self, subject: str | None) -> str | None:
        """The mode that was set for a subject (None: for all); of all there is always one."""
        return self.state.modes.get(subject) or ("READWRITE" if subject is None else None)

    def mode_in_scope(self, subject: str | None) -> str:
        everywhere = self.state.modes.get(None) or "READWRITE"
        if everywhere == "READONLY_OVERRIDE":
            return everywhere
        return self.state.modes.get(subject) or everywhere

    def level(self, subject: str) -> Level:
        return Level(str(self.config_in_scope(subject)["compatibilityLevel"]).upper())

    def normalizes(self, subject: str) -> bool:
        return self.config_in_scope(subject).get("normalize") is True

    # Schemas.

    def understand(self, proposal: Proposal, *, normalize: bool = False) -> Understood:
        """Parse a proposal and bring it into canonical form. Raises InvalidSchema."""
        if not proposal.text.strip():
            raise InvalidSchema("Empty schema")
        references = tuple(self._pinned(each) for each in proposal.references)
        parsed = formats.parse(proposal.kind, proposal.text, self._resolve(references))
        if normalize:
            parsed = parsed.normalized()
            references = tuple(sorted(set(references)))
        content = Content(proposal.kind, parsed.canonical, references, proposal.metadata, proposal.rule_set)
        return Understood(content, parsed)

    def parsed(self, schema: Schema) -> ParsedSchema:
        """A version that is registered, parsed."""
        content = schema.content
        return formats.parse(content.kind, content.text, self._resolve(content.references))

    def _pinned(self, reference: Reference) -> Reference:
        """A reference to the latest version is one to the version which that is now."""
        found = self._referenced(reference)
        return replace(reference, version=found.version)

    def _referenced(self, reference: Reference) -> Schema:
        found = self.get(reference.subject, reference.version, deleted=True)
        if found is None:
            raise InvalidSchema(
                f'No schema reference found for subject "{reference.subject}" and version {reference.version}'
            )
        return found

    def _resolve(self, references: tuple[Reference, ...]) -> dict[str, str]:
        """The texts that are referred to, by name, each after those that it refers to itself."""
        texts: dict[str, str] = {}
        open_names: set[str] = set()

        def add(reference: Reference) -> None:
            if reference.name in texts or reference.name in open_names:
                return
            open_names.add(reference.name)
            found = self._referenced(reference)
            for deeper in found.content.references:
                add(deeper)
            texts[reference.name] = found.content.text

        for reference in references:
            add(reference)
        return texts

    def same(self, understood: Understood, schema: Schema) -> bool:
        """Whether a proposal is that schema, though perhaps written in another way or with its references resolved."""
        new, old = understood.content, schema.content
        if (new.kind, new.metadata, new.rule_set) != (old.kind, old.metadata, old.rule_set):
            return False
        if new.references != old.references and new.references:
            return False
        try:
            return understood.parsed.resolved() == self.parsed(schema).resolved()
        except RegistryError:
            return False

    def look_up(self, proposal: Proposal, *, normalize: bool, deleted: bool) -> Schema:
        """The version of a subject that is this schema. Raises RegistryError where there is none."""
        understood = self.understand(proposal, normalize=normalize or self.normalizes(proposal.subject))
        found = self.find(proposal.subject, understood, deleted=deleted) or self._find_with_latest_extras(
            proposal, understood, deleted=deleted
        )
        if found is not None:
            return found
        if not self.has_subject(proposal.subject, deleted=deleted):
            raise subject_not_found(proposal.subject)
        raise schema_not_found()

    def find(self, subject: str, understood: Understood, *, deleted: bool) -> Schema | None:
        """The latest version of a subject that is this schema."""
        latest_first = list(reversed(self.state.versions(subject, deleted=deleted)))
        exact = [schema for schema in latest_first if schema.content == understood.content]
        if exact:
            return exact[0]
        return next((schema for schema in latest_first if self.same(understood, schema)), None)

    def _find_with_latest_extras(self, proposal: Proposal, understood: Understood, *, deleted: bool) -> Schema | None:
        """Look again with the metadata and the rules of the latest version, which registering it would take over."""
        latest = self.get(proposal.subject, LATEST)
        if latest is None:
            return None
        content = with_extras_of(understood.content, latest.content)
        if content == understood.content:
            return None
        return self.find(proposal.subject, Understood(content, understood.parsed), deleted=deleted)

    def differences(self, proposal: Proposal, previous: list[Schema], *, normalize: bool) -> list[str]:
        """Why a proposal is not compatible with these versions, at the level of its subject."""
        understood = self.understand(proposal, normalize=normalize or self.normalizes(proposal.subject))
        return self.differences_of(proposal.subject, understood, previous)

    def differences_of(self, subject: str, understood: Understood, previous: list[Schema]) -> list[str]:
        group = self.config_in_scope(subject).get("compatibilityGroup")
        held = [
            Previous(schema.version, schema.content.kind, self.parsed(schema))
            for schema in previous
            if group is None or _property(schema.content, group) == _property(understood.content, group)
        ]
        return differences(self.level(subject), understood.content.kind, understood.parsed, held)


def with_extras_of(content: Content, latest: Content) -> Content:
    """A content that has the metadata and the rules of the latest version where it brings none."""
    return replace(
        content,
        metadata=content.metadata if content.metadata is not None else latest.metadata,
        rule_set=content.rule_set if content.rule_set is not None else latest.rule_set,
    )


def _property(content: Content, name: str) -> Any:
    return ((content.metadata or {}).get("properties") or {}).get(name)


def _given(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if value is not None}
