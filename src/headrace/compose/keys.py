"""The keys of compose files: what shape each has, how two files' values are merged, and what becomes of it here.

docs/compose.md is made from these tables, and a test holds it to them.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class Shape(enum.Enum):
    """What a value may be; the text is what a fault asks for."""

    ONE = "one value"
    LIST = "a list (`- value` lines below it)"
    MAP = "a mapping (`name: value` lines below it)"
    LIST_OR_MAP = "a mapping (`NAME: value` lines below it) or a list (`- NAME=value` lines)"
    ONE_OR_LIST = "one value or a list"
    ONE_OR_MAP = "one value or a mapping"
    ANY = "anything"


class Merge(enum.Enum):
    """What becomes of a value where a later file has one too."""

    REPLACE = "replaced"
    APPEND = "added to"
    BY_NAME = "by name"
    DEEP = "key by key"


class Verdict(enum.Enum):
    """What becomes of a key here."""

    USED = "used"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `text` ends the sentence "KEY: ..." of a note, where it is not used."""

    shape: Shape
    verdict: Verdict
    text: str
    merge: Merge = Merge.REPLACE


def _used(shape: Shape, text: str, merge: Merge = Merge.REPLACE) -> Key:
    return Key(shape, Verdict.USED, text, merge)


def _unneeded(shape: Shape, text: str, merge: Merge = Merge.REPLACE) -> Key:
    return Key(shape, Verdict.NOT_NEEDED, text, merge)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LIMITS: Final = "not needed: it limits a container, and our servers are processes that take what they need"
_KERNEL: Final = "not needed: it sets up a container's kernel view, and there is no container"
_BUILT: Final = "not needed: images are not built or pulled, our own servers stand in for them"
_TERMINAL: Final = "not needed: a server has no terminal here"
_RESOLVER: Final = "not needed: names are looked up in the address book, not in a DNS of Docker's"

TOP_KEYS: Final[Mapping[str, Key]] = {
    "version": _used(Shape.ONE, "read and passed over, as Docker Compose does"),
    "name": _used(Shape.ONE, "the project's name, where -p and COMPOSE_PROJECT_NAME give none"),
    "services": _used(Shape.MAP, "what runs", Merge.DEEP),
    "include": _used(Shape.LIST, "files read as if they were part of this one", Merge.APPEND),
    "volumes": _used(Shape.MAP, "the names that mounts may use", Merge.DEEP),
    "networks": _used(Shape.MAP, "the names that services may use; all of them are this machine", Merge.DEEP),
    "secrets": _used(Shape.MAP, "files that POSTGRES_PASSWORD_FILE and its like may name", Merge.DEEP),
    "configs": _unneeded(Shape.MAP, "not needed: nothing of ours reads /run/configs", Merge.DEEP),
    "models": _unneeded(Shape.MAP, "not needed: nothing of ours asks a language model", Merge.DEEP),
}

SERVICE_KEYS: Final[Mapping[str, Key]] = {
    "image": _used(Shape.ONE, "tells which of our servers stands in"),
    "build": _used(Shape.ONE_OR_MAP, "its Dockerfile tells by FROM, ENV and RUN what it would build", Merge.DEEP),
    "container_name": _used(Shape.ONE, "the name that ps shows, and a host name"),
    "hostname": _used(Shape.ONE, "a host name"),
    "command": _used(Shape.ONE_OR_LIST, "PostgreSQL's -c options; plug-ins that it installs; else the user's own"),
    "entrypoint": _used(Shape.ONE_OR_LIST, "one of the user's own is left to the user"),
    "environment": _used(Shape.LIST_OR_MAP, "the settings", Merge.BY_NAME),
    "env_file": _used(Shape.ANY, "the settings, below those of environment", Merge.APPEND),
    "ports": _used(Shape.LIST, "where a server listens on this machine", Merge.APPEND),
    "volumes": _used(Shape.LIST, "where data is kept; scripts for a new database", Merge.APPEND),
    "depends_on": _used(Shape.LIST_OR_MAP, "the order of starts; each waits until the one before is ready", Merge.DEEP),
    "networks": _used(Shape.LIST_OR_MAP, "aliases are host names; all networks are this machine", Merge.DEEP),
    "profiles": _used(Shape.LIST, "one whose profile COMPOSE_PROFILES does not name is left out", Merge.APPEND),
    "extends": _used(Shape.ONE_OR_MAP, "the service that it names is read first"),
    "restart": _used(Shape.ONE, "told to the supervisor, which brings back servers that died"),
    "links": _used(Shape.LIST, "the order of starts, and the names that they give", Merge.APPEND),
    "secrets": _used(Shape.LIST, "files that POSTGRES_PASSWORD_FILE and its like may name", Merge.APPEND),
    "healthcheck": _unneeded(Shape.MAP, "not needed: each server is waited for until it answers", Merge.DEEP),
    "expose": _unneeded(Shape.LIST, "not needed: services of a project reach each other's ports", Merge.APPEND),
    "deploy": _unneeded(Shape.MAP, "not needed: one process each, with what it needs of this machine", Merge.DEEP),
    "scale": _unneeded(Shape.ONE, "not needed: one process each"),
    "labels": _unneeded(Shape.LIST_OR_MAP, "not needed: nothing reads labels here", Merge.BY_NAME),
    "label_file": _unneeded(Shape.ONE_OR_LIST, "not needed: nothing reads labels here"),
    "annotations": _unneeded(Shape.LIST_OR_MAP, "not needed: nothing reads annotations here", Merge.BY_NAME),
    "logging": _unneeded(Shape.MAP, "not needed: `headrace logs` shows the log of each server", Merge.DEEP),
    "attach": _unneeded(Shape.ONE, "not needed: `headrace logs SERVICE` shows one server's log"),
    "platform": _unneeded(Shape.ONE, _BUILT),
    "pull_policy": _unneeded(Shape.ONE, _BUILT),
    "develop": _unneeded(Shape.MAP, _BUILT, Merge.DEEP),
    "user": _unneeded(Shape.ONE, "not needed: servers run as you; PostgreSQL never as root"),
    "group_add": _unneeded(Shape.LIST, "not needed: servers run as you", Merge.APPEND),
    "working_dir": _unneeded(Shape.ONE, "not needed: our servers have folders of their own"),
    "stop_grace_period": _unneeded(Shape.ONE, "not needed: servers are stopped in order, with deadlines"),
    "stop_signal": _unneeded(Shape.ONE, "not needed: servers are stopped in order, with deadlines"),
    "post_start": _unneeded(Shape.LIST, "not run: run it with `headrace exec`", Merge.APPEND),
    "pre_stop": _unneeded(Shape.LIST, "not run: run it with `headrace exec`", Merge.APPEND),
    "configs": _unneeded(Shape.LIST, "not needed: nothing of ours reads /run/configs", Merge.APPEND),
    "extra_hosts": _unneeded(Shape.LIST_OR_MAP, _RESOLVER, Merge.BY_NAME),
    "external_links": _unneeded(Shape.LIST, _RESOLVER, Merge.APPEND),
    "dns": _unneeded(Shape.ONE_OR_LIST, _RESOLVER),
    "dns_opt": _unneeded(Shape.LIST, _RESOLVER, Merge.APPEND),
    "dns_search": _unneeded(Shape.ONE_OR_LIST, _RESOLVER),
    "domainname": _unneeded(Shape.ONE, _RESOLVER),
    "network_mode": _unneeded(Shape.ONE, "not needed: every server is on this machine's own network"),
    "mac_address": _unneeded(Shape.ONE, "not needed: every server is on this machine's own network"),
    "tmpfs": _unneeded(Shape.ONE_OR_LIST, "not needed: our servers keep no data there"),
    "volumes_from": _unneeded(Shape.LIST, "not needed: our servers share no folders", Merge.APPEND),
    "read_only": _unneeded(Shape.ONE, "not needed: our servers write in folders of their own alone"),
    "tty": _unneeded(Shape.ONE, _TERMINAL),
    "stdin_open": _unneeded(Shape.ONE, _TERMINAL),
    "init": _unneeded(Shape.ONE, "not needed: no server of ours leaves processes behind"),
    "models": _unneeded(Shape.LIST_OR_MAP, "not needed: nothing of ours asks a language model", Merge.DEEP),
    "provider": _unneeded(Shape.MAP, "not run: what it provides is left to you", Merge.DEEP),
    "ulimits": _unneeded(Shape.MAP, _LIMITS, Merge.DEEP),
    **{name: _unneeded(Shape.ANY, _LIMITS) for name in (
        "blkio_config", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime",
        "cpu_shares", "cpus", "cpuset", "mem_limit", "mem_reservation", "mem_swappiness", "memswap_limit",
        "oom_kill_disable", "oom_score_adj", "pids_limit", "shm_size", "storage_opt",
    )},
    **{name: _unneeded(Shape.ANY, _KERNEL) for name in (
        "cap_add", "cap_drop", "cgroup", "cgroup_parent", "credential_spec", "device_cgroup_rules", "devices", "gpus",
        "ipc", "isolation", "pid", "privileged", "runtime", "security_opt", "sysctls", "use_api_socket", "userns_mode",
        "uts",
    )},
}  # fmt: skip

NESTED_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "build": _names(
        "additional_contexts args cache_from cache_to context dockerfile dockerfile_inline entitlements extra_hosts "
        "isolation labels network no_cache platforms privileged provenance pull sbom secrets shm_size ssh tags target "
        "ulimits"
    ),
    "healthcheck": _names("disable interval retries start_interval start_period test timeout"),
    "deploy": _names(
        "endpoint_mode labels mode placement replicas resources restart_policy rollback_config update_config"
    ),
    "logging": frozenset({"driver", "options"}),
    "extends": frozenset({"file", "service"}),
}
"""The keys below a key of a service, where it is a mapping."""

ITEM_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "ports": _names("app_protocol host_ip mode name protocol published target"),
    "volumes": _names("bind consistency image read_only source target tmpfs type volume"),
    "env_file": frozenset({"path", "required", "format"}),
    "depends_on": frozenset({"condition", "required", "restart"}),
    "networks": _names(
        "aliases driver_opts gw_priority interface_name ipv4_address ipv6_address link_local_ips mac_address priority"
    ),
    "secrets": frozenset({"gid", "mode", "source", "target", "uid"}),
}
"""The keys of one item of a key of a service, in its long form."""

CONDITIONS: Final = ("service_started", "service_healthy", "service_completed_successfully")
"""What `condition:` of `depends_on` may be."""
