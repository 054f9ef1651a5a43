"""Images by name: which of our servers stands in for each.

Registries, prefixes, tags and digests do not matter: `mirror.local:5000/confluentinc/cp-kafka:7.3.0@sha256:...`.
"""

import re
from collections.abc import Mapping
from typing import Final

from headrace.compose.plan import ServiceKind

IMAGES: Final[Mapping[str, ServiceKind]] = {
    "cp-zookeeper": ServiceKind.ZOOKEEPER,
    "zookeeper": ServiceKind.ZOOKEEPER,
    "cp-kafka": ServiceKind.BROKER,
    "cp-server": ServiceKind.BROKER,
    "apache/kafka": ServiceKind.BROKER,
    "apache/kafka-native": ServiceKind.BROKER,
    "cp-schema-registry": ServiceKind.REGISTRY,
    "cp-kafka-connect": ServiceKind.CONNECT,
    "cp-kafka-connect-base": ServiceKind.CONNECT,
    "cp-server-connect": ServiceKind.CONNECT,
    "cp-server-connect-base": ServiceKind.CONNECT,
    "postgres": ServiceKind.POSTGRES,
}
"""Images that are ours to stand in for; one without a slash counts under any prefix."""

_STARTS: Final = ("/etc/confluent/docker/run", "/etc/kafka/docker/run")
"""What a command of one's own calls where it ends in the image's own start."""


def repository(image: str) -> str:
    """The image without registry, tag and digest.

    >>> repository("mirror.local:5000/confluentinc/cp-kafka:7.3.0@sha256:abc")
    'confluentinc/cp-kafka'
    """
    name = re.sub(r":[^/:]*$", "", image.partition("@")[0])
    first, slash, rest = name.partition("/")
    return rest if slash and ("." in first or ":" in first or first == "localhost") else name


def tag(image: str) -> str:
    """The tag of an image; `latest` where it has none."""
    match = re.search(r":([^/:]*)$", image.partition("@")[0])
    return match.group(1) if match else "latest"


def image_kind(image: str) -> ServiceKind:
    """What stands in for this image.

    >>> image_kind("docker.io/library/postgres:14.0"), image_kind("python:3.11")
    (<ServiceKind.POSTGRES: 'postgres'>, <ServiceKind.FOREIGN: 'foreign'>)
    """
    parts = repository(image).split("/")
    return IMAGES.get("/".join(parts[-2:])) or IMAGES.get(parts[-1]) or ServiceKind.FOREIGN


def runs_the_image(kind: ServiceKind, entrypoint: tuple[str, ...], command: tuple[str, ...]) -> bool:
    """Whether a container still runs its image's server, and not a program that the user put in its place."""
    said = " ".join((*entrypoint, *command))
    if any(start in said for start in _STARTS):
        return True
    if kind is ServiceKind.POSTGRES and not entrypoint:
        return not command or command[0] == "postgres" or command[0].startswith("-")
    return not said
