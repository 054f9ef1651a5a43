"""A service while it is being read: its tree with what every kind of service has in common taken out of it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from headrace.compose.dotenv import DotenvError, parse_env, parse_raw
from headrace.compose.findings import Findings, Place, Source, sentence
from headrace.compose.loading import read_text
from headrace.compose.nodes import Entries, Items, Node, Scalar, items_of, names_of, pairs_of
from headrace.compose.plan import PluginNote, PublishedPort, Volume
from headrace.compose.ports import PortError, read_port
from headrace.compose.scalars import container_text


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a container, and the line that gives it."""

    text: str = field(repr=False)
    place: Place


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a service before its kind is asked for its settings.

    `image` is the one that decides the kind: of a build, what its Dockerfile begins with.
    """

    name: str
    entries: Entries
    place: Place
    image: str
    variables: Mapping[str, Variable]
    names: tuple[str, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    port_places: Mapping[PublishedPort, Place] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    plugins: tuple[PluginNote, ...] = ()
    scripts: tuple[Path, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        return {name: variable.text for name, variable in self.variables.items()}

    def text(self, variable: str, default: str = "") -> str:
        """The value of a variable; the default where it is missing or empty, as the images' scripts have it."""
        found = self.variables.get(variable)
        return found.text if found and found.text else default

    def where(self, *variables: str) -> Place:
        """The line of the first of these variables that is there, or of the environment, or of the service."""
        for name in variables:
            if name in self.variables:
                return self.variables[name].place
        return self.entries.where("environment") if "environment" in self.entries.values else self.place


def words(node: Node | None, path: str, findings: Findings) -> tuple[str, ...]:
    """A `command:` or `entrypoint:` as its words: text is cut as a shell cuts it."""
    if isinstance(node, Items):
        return tuple(container_text(item) for item in node.items if isinstance(item, Scalar))
    if not isinstance(node, Scalar):
        return ()
    try:
        return tuple(shlex.split(node.text))
    except ValueError:
        findings.fault(node.place, f"{path}: a quote is not closed: close it.")
        return ()


def texts(node: Node | None) -> tuple[str, ...]:
    """The items of a list, or one value, as texts."""
    if isinstance(node, Items):
        return tuple(item.text for item in node.items if isinstance(item, Scalar))
    return (node.text,) if isinstance(node, Scalar) else ()


def read_ports(
    name: str, entries: Entries, findings: Findings
) -> tuple[tuple[PublishedPort, ...], dict[PublishedPort, Place]]:
    """The published ports of a service, and the line of each."""
    places: dict[PublishedPort, Place] = {}
    for item in items_of(entries.get("ports")):
        try:
            places.update(dict.fromkeys(read_port(item), item.place))
        except PortError as error:
            findings.fault(item.place, f"services.{name}.ports: {error}.")
    return tuple(places), places


def read_variables(name: str, entries: Entries, shell: Mapping[str, str], findings: Findings) -> dict[str, Variable]:
    """The environment of a service: its env files, and `environment` over them."""
    found: dict[str, Variable] = {}
    for item in items_of(entries.get("env_file")):
        found.update(_env_file(name, item, shell, findings))
    for key, _, value in pairs_of(entries.get("environment")):
        if not isinstance(value, Scalar):
            continue
        if value.is_null and value.text == "" and key in shell:
            found[key] = Variable(shell[key], value.place)
        elif not value.is_null:
            found[key] = Variable(_noted(name, key, value, findings), value.place)
    return found


def _noted(service: str, key: str, value: Scalar, findings: Findings) -> str:
    text = container_text(value)
    if text.lower() != value.text.lower():
        note = f"{key} without quotes is a number to YAML, and arrives in another form, as 7.10 does as 7.1: quote it."
        findings.note(service, value.place, note)
    return text


def _env_file(service: str, item: Node, shell: Mapping[str, str], findings: Findings) -> dict[str, Variable]:
    form = item if isinstance(item, Entries) else Entries({"path": item}, item.place)
    path = item.place.source.base / Path("".join(texts(form.get("path")))).expanduser()
    if "false" in texts(form.get("required")) and not path.is_file():
        return {}
    fix = f"create it, or leave it out of services.{service}.env_file."
    text = read_text(path, item.place, "env file", fix, findings)
    try:
        lines = parse_raw(text or "") if "raw" in texts(form.get("format")) else parse_env(text or "", shell)
    except DotenvError as error:
        findings.fault(Place(Source(str(path), path.parent), error.line), sentence(error))
        return {}
    place = Place(Source(str(path), path.parent))
    values = {line.name: (shell.get(line.name) if line.value is None else line.value, line.line) for line in lines}
    return {key: Variable(value, replace(place, line=at)) for key, (value, at) in values.items() if value is not None}


def read_volumes(name: str, entries: Entries, declared: Node | None, findings: Findings) -> tuple[Volume, ...]:
    """The mounts of a service; a volume must be among those at the top of the file."""
    found = []
    for item in items_of(entries.get("volumes")):
        volume = _long_volume(item) if isinstance(item, Entries) else _short_volume(item)
        if volume is None:
            findings.fault(item.place, f"services.{name}.volumes: write SOURCE:TARGET, or `target:` in the long form.")
            continue
        if volume.kind == "volume" and volume.source and volume.source not in names_of(declared):
            text = f"services.{name} uses the volume {volume.source}, which is not under `volumes:` at the top: add it"
            findings.fault(item.place, f"{text} there, or write ./{volume.source} where a folder is meant.")
        found.append(volume)
    return tuple(found)


def _short_volume(item: Node) -> Volume | None:
    parts = item.text.split(":") if isinstance(item, Scalar) else []
    if not 1 <= len(parts) <= 3 or not all(parts):
        return None
    if len(parts) == 1:
        return Volume("volume", "", parts[0])
    read_only = len(parts) == 3 and "ro" in parts[2].split(",")
    if parts[0].startswith((".", "/", "~")):
        return Volume("bind", _path(item.place, parts[0]), parts[1], read_only)
    return Volume("volume", parts[0], parts[1], read_only)


def _long_volume(item: Entries) -> Volume | None:
    fields = {key: value.text for key, value in item.values.items() if isinstance(value, Scalar)}
    if not fields.get("target"):
        return None
    kind, source = fields.get("type", "volume"), fields.get("source", "")
    if kind == "bind":
        source = _path(item.place, source)
    return Volume(kind, source, fields["target"], fields.get("read_only", "") == "true")


def _path(place: Place, text: str) -> str:
    return str((place.source.base / Path(text).expanduser()).resolve())
