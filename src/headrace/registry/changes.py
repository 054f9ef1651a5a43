"""What a change writes to the topic: each is planned from the state, as Confluent's registry decides it. Sans-IO.

A plan is carried out by whoever owns the log: its records are written, read back, and then its answer holds, if
`holds` says so of the state that came of it.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from headrace.registry import records
from headrace.registry.catalog import MODES, READ_ONLY, Catalog, Proposal, Understood, with_extras_of
from headrace.registry.compatibility import CHECKED_TYPES, Level
from headrace.registry.errors import (
    RegistryError,
    incompatible,
    invalid_compatibility,
    invalid_mode,
    invalid_subject,
    not_permitted,
    reference_exists,
    subject_not_found,
    subject_not_soft_deleted,
    subject_soft_deleted,
    version_not_found,
    version_not_soft_deleted,
    version_soft_deleted,
)
from headrace.registry.records import Key, KeyType, Record
from headrace.registry.schema import DEFAULT_CONTEXT, Schema, context_of
from headrace.registry.state import State

log = logging.getLogger(__name__)

_KEPT_CONFIG: Final = ("compatibilityLevel", "normalize", "compatibilityGroup")
_CONFIG_LATER: Final = (
    "alias", "aliasForDeks", "validateFields", "validateNewSchemas", "validateRules", "compatibilityPolicy",
    "defaultMetadata", "overrideMetadata", "defaultRuleSet", "overrideRuleSet",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """Records to be written in order, and what is answered then."""

    answer: Any
    records: list[Record] = field(default_factory=list)
    holds: Callable[[State], bool] = lambda _: True


def register(catalog: Catalog, proposal: Proposal, *, normalize: bool, force: bool = False) -> Plan:
    """A new version of a subject, or the one that there is. Raises RegistryError. Answers the Schema."""
    _check_subject(proposal.subject)
    _check_register_mode(catalog, proposal)
    importing = catalog.mode_in_scope(proposal.subject) in ("IMPORT", "FORWARD")
    live = catalog.state.versions(proposal.subject)
    if not importing:
        proposal = _filled_in(proposal, live)
    normalize = (normalize or catalog.normalizes(proposal.subject)) and not importing
    understood = catalog.understand(proposal, normalize=normalize)
    if not importing and live:
        understood = replace(understood, content=with_extras_of(understood.content, live[-1].content))
    known = _known_version(catalog, proposal, understood)
    if known is not None:
        return Plan(known)
    if not importing and not force:
        found = catalog.differences_of(proposal.subject, understood, live)
        if found:
            raise incompatible(proposal.subject, found)
        if live and proposal.kind not in CHECKED_TYPES and catalog.level(proposal.subject) is not Level.NONE:
            log.warning(
                "A version of %s is let in unchecked: there are no rules for %s", proposal.subject, proposal.kind
            )
    return _new_version(catalog, proposal, understood, importing=importing)


def _check_subject(subject: str) -> None:
    if not subject or any(ord(character) < 32 for character in subject) or subject in ("__GLOBAL", "__EMPTY"):
        raise invalid_subject(subject)
    _check_context(subject)


def _check_context(subject: str | None) -> None:
    context = context_of(subject)
    if context != DEFAULT_CONTEXT:
        raise not_permitted(
            f"Subject {subject} is in the context {context}: this registry reads the schemas of other contexts than "
            "the default one, and writes none"
        )


def _check_writable(catalog: Catalog, subject: str | None) -> None:
    if catalog.mode_in_scope(subject) in READ_ONLY:
        raise not_permitted(f"Subject {subject} in context  is in read-only mode")


def _check_register_mode(catalog: Catalog, proposal: Proposal) -> None:
    _check_writable(catalog, proposal.subject)
    mode = catalog.mode_in_scope(proposal.subject)
    if proposal.id >= 0 and mode not in ("IMPORT", "FORWARD"):
        raise not_permitted(f"Subject {proposal.subject} in context  is not in import mode")
    if proposal.id < 0 and mode != "READWRITE":
        raise not_permitted(f"Subject {proposal.subject} in context  is not in read-write mode")


def _filled_in(proposal: Proposal, live: list[Schema]) -> Proposal:
    """A proposal without a schema means that of the latest version, with other metadata or rules."""
    if proposal.text.strip() or not live:
        return proposal
    latest = live[-1].content
    return replace(proposal, text=latest.text, kind=latest.kind, references=latest.references)


def _known_version(catalog: Catalog, proposal: Proposal, understood: Understood) -> Schema | None:
    if proposal.version > 0:
        return None
    found = catalog.find(proposal.subject, understood, deleted=False)
    return found if found is not None and proposal.id in (-1, found.id) else None


def _new_version(catalog: Catalog, proposal: Proposal, understood: Understood, *, importing: bool) -> Plan:
    state, subject = catalog.state, proposal.subject
    every = state.versions(subject, deleted=True)
    number = every[-1].version + 1 if every else 1
    if proposal.version > 0:
        if proposal.version != number and not importing:
            raise RegistryError(42201, "Version is not one more than previous version")
        number = proposal.version
    content = understood.content
    id_ = _id_for(state, proposal, understood)
    schema = Schema(subject, number, id_, content, guid=content.guid)
    replaced = [old for old in every if old.deleted and old.id == id_ and old.version < number]
    gone = [
        records.tombstone(records.schema_key(subject, old.version))
        for old in replaced
        if not state.referrers(subject, old.version, deleted=True)
    ]
    return Plan(schema, [*gone, records.schema_record(schema)], lambda after: after.version(subject, number) == schema)


def _id_for(state: State, proposal: Proposal, understood: Understood) -> int:
    """The id that the content has already, the one that is given, or the next."""
    known = state.id_of(understood.content)
    if known is not None and proposal.id in (-1, known):
        return known
    if proposal.id < 0:
        return state.max_id() + 1
    taken = state.versions_with_id(proposal.id)
    if taken and taken[0].content != understood.content:
        raise not_permitted(f"Overwrite new schema with id {proposal.id} in context  is not permitted.")
    return proposal.id


def delete_subject(catalog: Catalog, subject: str, *, permanent: bool) -> Plan:
    """Mark every version as deleted, or forget those that are so marked. Answers their numbers."""
    _check_context(subject)
    if not catalog.has_subject(subject, deleted=True):
        raise subject_not_found(subject)
    if not permanent and not catalog.has_subject(subject, deleted=False):
        raise subject_soft_deleted(subject)
    _check_writable(catalog, subject)
    versions = catalog.state.versions(subject, deleted=permanent)
    for schema in versions:
        referrers = catalog.state.referrers(subject, schema.version, deleted=permanent)
        if any(each.subject != subject for each in referrers):
            raise reference_exists(subject, schema.version)
    numbers = [schema.version for schema in versions]
    if not permanent:
        return Plan(numbers, [records.delete_subject_record(subject, numbers[-1])])
    if any(not schema.deleted for schema in versions):
        raise subject_not_soft_deleted(subject)
    gone = [records.tombstone(records.schema_key(subject, number)) for number in reversed(numbers)]
    return Plan(numbers, [*gone, *_settings_gone(catalog, subject)])


def delete_version(catalog: Catalog, subject: str, version: int, *, permanent: bool) -> Plan:
    """Mark one version as deleted, or forget one that is so marked. Answers its number."""
    _check_context(subject)
    schema = _version_to_delete(catalog, subject, version, permanent=permanent)
    _check_writable(catalog, subject)
    if catalog.state.referrers(subject, schema.version, deleted=permanent):
        raise reference_exists(subject, schema.version)
    if not permanent:
        return Plan(schema.version, [records.schema_record(replace(schema, deleted=True))])
    if not schema.deleted:
        raise version_not_soft_deleted(subject, schema.version)
    gone = [records.tombstone(records.schema_key(subject, schema.version))]
    last = len(catalog.state.versions(subject, deleted=True)) == 1
    return Plan(schema.version, [*gone, *(_settings_gone(catalog, subject) if last else [])])


def _version_to_delete(catalog: Catalog, subject: str, version: int, *, permanent: bool) -> Schema:
    found = catalog.get(subject, version, deleted=True)
    if found is None:
        known = catalog.has_subject(subject, deleted=True)
        raise version_not_found(version) if known else subject_not_found(subject)
    if found.deleted and not permanent:
        raise version_soft_deleted(subject, version)
    return found


def _settings_gone(catalog: Catalog, subject: str) -> list[Record]:
    """A subject that is forgotten takes its mode and its config along."""
    gone = [records.tombstone(Key(KeyType.MODE, subject))] if subject in catalog.state.modes else []
    return gone + ([records.tombstone(Key(KeyType.CONFIG, subject))] if subject in catalog.state.configs else [])


def set_config(catalog: Catalog, subject: str | None, given: Mapping[str, Any]) -> Plan:
    """Change what is given of a config. Answers the whole of it, as PUT shows it."""
    _check_context(subject)
    changes = dict(given)
    if "compatibility" in changes:
        changes["compatibilityLevel"] = _level(changes.pop("compatibility"))
    later = sorted(name for name in _CONFIG_LATER if changes.get(name) is not None)
    if later:
        raise RegistryError(42203, f"This registry does not keep to {', '.join(later)} yet: leave it out")
    _check_writable(catalog, subject)
    merged: dict[str, Any] = dict(catalog.state.configs.get(subject, {}))
    merged |= {key: changes[key] for key in _KEPT_CONFIG if key in changes}
    shown = {("compatibility" if name == "compatibilityLevel" else name): value for name, value in merged.items()}
    answer = {name: value for name, value in shown.items() if value is not None}
    return Plan(answer, [records.config_record(subject, merged)])


def _level(text: Any) -> str | None:
    if text is None:
        return None
    try:
        return Level(str(text).upper()).value
    except ValueError:
        raise invalid_compatibility() from None


def delete_config(catalog: Catalog, subject: str | None) -> Plan:
    """Forget a config. Answers what it was."""
    _check_context(subject)
    config = catalog.config(subject)
    if config is None:
        raise subject_not_found(str(subject))
    _check_writable(catalog, subject)
    return Plan(config, [records.tombstone(Key(KeyType.CONFIG, subject))])


def set_mode(catalog: Catalog, subject: str | None, text: Any, *, force: bool) -> Plan:
    """Set a mode. Answers it. Import needs that there is nothing yet, or `force`."""
    _check_context(subject)
    mode = str(text).upper()
    if mode not in MODES:
        raise invalid_mode()
    if mode == "FORWARD" and subject is not None:
        raise invalid_mode("Forward mode only supported on global level")
    before: list[Record] = []
    if mode == "IMPORT" and catalog.mode_in_scope(subject) != "IMPORT" and not force:
        before = _cleared(catalog, subject)
    return Plan({"mode": mode}, [*before, records.mode_record(subject, mode)])


def _cleared(catalog: Catalog, subject: str | None) -> list[Record]:
    """Forgets the deleted versions. Raises RegistryError where there are others, or some refer to them."""
    versions = [schema for schema in catalog.state.all_versions() if subject in (None, schema.subject)]
    if any(not schema.deleted for schema in versions):
        raise not_permitted("Cannot import since found existing subjects")
    for schema in versions:
        if catalog.state.referrers(schema.subject, schema.version, deleted=True):
            raise reference_exists(schema.subject, schema.version)
    gone = [records.tombstone(records.schema_key(schema.subject, schema.version)) for schema in versions]
    return [*gone, records.clear_subject_record(subject)]


def delete_mode(catalog: Catalog, subject: str | None) -> Plan:
    """Forget a mode. Answers what it was."""
    _check_context(subject)
    mode = catalog.mode(subject)
    if mode is None:
        raise subject_not_found(str(subject))
    return Plan({"mode": mode}, [records.tombstone(Key(KeyType.MODE, subject))])
