"""Whose configs `kafka-configs` is asked for, and what is to be set: read from its command line. Sans-IO."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from headrace.tools.command import Refusal
from headrace.tools.options import Parsed

TYPES = ("topics", "clients", "users", "brokers", "ips", "client-metrics", "groups", "broker-loggers")
# The short options, and the type that each stands for.
SHORT = {
    "topic": "topics",
    "client": "clients",
    "user": "users",
    "broker": "brokers",
    "broker-logger": "broker-loggers",
    "ip": "ips",
    "group": "groups",
    "client-metrics": "client-metrics",
}
SHORT_DEFAULTS = {
    "client-defaults": "clients",
    "user-defaults": "users",
    "broker-defaults": "brokers",
    "ip-defaults": "ips",
}
# Kafka's numbers for the resources that DescribeConfigs knows.
RESOURCES = {"topics": 2, "brokers": 4}
DEFAULT = ""
_COMMA = re.compile(r",(?=[^\]]*(?:\[|$))")
_TOPIC_NAME = re.compile(r"[a-zA-Z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Entity:
    """A topic or a broker; `name` is DEFAULT for what holds for all brokers, None where every one is meant."""

    type: str
    name: str | None

    @property
    def word(self) -> str:
        """Its type in the singular."""
        return self.type.removesuffix("s")


def entity(parsed: Parsed) -> Entity:
    """Raises Refusal, in Kafka's words where it has some, where no one entity of a type we have is named."""
    types = _types(parsed)
    _check_types(types)
    names = [*parsed.values("entity-name"), *(parsed.value(short) or "" for short in SHORT if parsed.has(short))]
    if parsed.has("entity-default") and types == ["topics"]:
        action = "alter" if parsed.has("alter") else "describe"
        raise Refusal(f"--entity-default must not be specified with --{action} of topics")
    if parsed.has("entity-default") or any(parsed.has(short) for short in SHORT_DEFAULTS):
        names.append(DEFAULT)
    found = Entity(types[0], names[0] if names else None)
    if found.type not in RESOURCES:
        raise Refusal(
            f"--entity-type {found.type} is not offered here: topics and brokers are; "
            "Kafka's own kafka-configs does the rest against the same broker"
        )
    _check_name(found)
    return found


def require_name(found: Entity) -> None:
    """What is altered has a name."""
    if found.name is None and found.type == "topics":
        raise Refusal("An entity name must be specified with --alter of topics")
    if found.name is None:
        raise Refusal(
            "An entity-name or default entity must be specified with --alter of users, clients, brokers or ips"
        )


def additions(text: str) -> dict[str, str]:
    """The pairs of `k1=v1,k2=[a,b]`.

    >>> additions("a=1,b=[x,y]")
    {'a': '1', 'b': 'x,y'}
    """
    pairs = [re.split(r"\s*=\s*", part) for part in _COMMA.split(text)]
    if not all(len(pair) == 2 for pair in pairs):
        raise Refusal(
            "requirement failed: Invalid entity config: all configs to be added must be in the format "
            '"key=val" or  "key=[val1,val2]" to group values which contain commas.'
        )
    return {key.strip(): re.sub(r"\[?\]?", "", value.strip()) for key, value in pairs}


def deletions(parsed: Parsed) -> list[str]:
    """The keys of `--delete-config k1,k2`."""
    return [key.strip() for text in parsed.values("delete-config") for key in text.split(",")]


def refuse_twice(added: Mapping[str, str], deleted: list[str]) -> None:
    """A key is either set or deleted."""
    if set(added) & set(deleted):
        raise Refusal("Error due to duplicate config keys")


def _types(parsed: Parsed) -> list[str]:
    short = [kind for options in (SHORT, SHORT_DEFAULTS) for option, kind in options.items() if parsed.has(option)]
    return [*parsed.values("entity-type"), *short]


def _check_types(types: list[str]) -> None:
    twice = [kind for kind in dict.fromkeys(types) if types.count(kind) > 1]
    if twice:
        raise Refusal(f"Duplicate entity type(s) specified: {','.join(twice)}")
    for kind in types:
        if kind not in TYPES:
            raise Refusal(
                f"Invalid entity type {kind}, the entity type must be one of {', '.join(TYPES)} "
                "with a --bootstrap-server or --bootstrap-controller argument"
            )
    if not types:
        raise Refusal("At least one entity type must be specified")
    if len(types) > 1 and set(types) != {"users", "clients"}:
        raise Refusal("Only 'users' and 'clients' entity types may be specified together")


def _check_name(found: Entity) -> None:
    name = found.name
    if not name:
        return
    if found.type == "brokers" and re.fullmatch(r"-?\d+", name) is None:
        raise Refusal(f"The entity name for brokers must be a valid integer broker id, but it is: {name}")
    if found.type == "topics" and _TOPIC_NAME.fullmatch(name) is None:
        raise Refusal(
            f"Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, "
            "'.', '_' and '-'"
        )
