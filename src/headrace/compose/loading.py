"""Compose files to one tree: read, variables filled in, checked, `include` and `extends` followed, merged.

The one module here that reads compose files and `.env`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from headrace.compose.dotenv import DotenvError, parse_env
from headrace.compose.findings import Findings, Place, Source, did_you_mean, sentence
from headrace.compose.interpolation import InterpolationError, interpolate
from headrace.compose.merging import merge_files, merge_services, without_resets
from headrace.compose.nodes import Entries, Items, Node, Scalar, items_of, pairs_of, parse
from headrace.compose.shape import check_file

DEFAULT_NAMES: Final = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")


def default_files(directory: Path) -> list[Path]:
    """The file that is read where none is named, with its `override` file; looked for in the parent folders too."""
    for folder in (directory, *directory.parents):
        for name in DEFAULT_NAMES:
            if (folder / name).is_file():
                stem, _, kind = name.partition(".")
                overrides = [folder / f"{stem}.override.{end}" for end in (kind, "yml", "yaml")]
                return [folder / name, *[path for path in overrides if path.is_file()][:1]]
    return []


def read_text(path: Path, place: Place, what: str, fix: str, findings: Findings) -> str | None:
    """The text of a file; None where it cannot be read, which is found at `place`."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        findings.fault(place, f"There is no {what} {path}: {fix}")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        findings.fault(place, f"The {what} {path} cannot be read: {reason}.")
    return None


def env_of(path: Path, label: str, variables: Mapping[str, str], findings: Findings) -> dict[str, str]:
    """`.env`, under the variables of the shell; nothing where there is none."""
    if not path.is_file():
        return dict(variables)
    place = Place(Source(label, path.parent), 0)
    text = read_text(path, place, "env file", "", findings) or ""
    try:
        found = {line.name: line.value for line in parse_env(text, variables) if line.value is not None}
    except DotenvError as error:
        findings.fault(replace(place, line=error.line), sentence(error))
        found = {}
    return {**found, **variables}


def fill_in(node: Node, variables: Mapping[str, str], findings: Findings) -> Node:
    """The tree with its variables filled in: in values alone, as in Docker. What is filled in is text."""
    if isinstance(node, Entries):
        values = {key: fill_in(value, variables, findings) for key, value in node.values.items()}
        return replace(node, values=values)
    if isinstance(node, Items):
        return replace(node, items=tuple(fill_in(item, variables, findings) for item in node.items))
    if "$" not in node.text:
        return node
    try:
        text = interpolate(node.text, variables, lambda name: findings.unset_variable(node.place, name))
    except InterpolationError as error:
        findings.fault(node.place, sentence(error))
        findings.spoilt.add(node.place)
        return replace(node, plain=False)
    return replace(node, text=text, plain=False)


@dataclass(slots=True)
class Loader:
    """Reads the files of one project; `directory` is what paths that are shown begin at."""

    directory: Path
    findings: Findings
    files: list[Path] = field(default_factory=list)

    def fragments(self, path: Path, label: str, base: Path) -> list[Entries]:
        """A file's fragments as written."""
        place = Place(Source(label, base))
        text = read_text(path, place, "compose file", "name another with -f.", self.findings)
        if path not in self.files:
            self.files.append(path)
        if text is None:
            return []
        found = parse(text, place.source, self.findings)
        if not found and not self.findings.faults:
            self.findings.fault(place, "The file is empty: a compose file begins with `services:`.")
        return found

    def merge(self, fragments: Sequence[Entries], variables: Mapping[str, str]) -> Entries:
        """Fragments as one tree, with variables, `include` and `extends` done."""
        merged: Entries | None = None
        for fragment in fragments:
            filled = fill_in(fragment, variables, self.findings)
            assert isinstance(filled, Entries)
            checked = self._with_includes(check_file(filled, self.findings), variables)
            merged = checked if merged is None else merge_files(merged, checked)
        assert merged is not None
        tree = self._extended(merged, variables)
        cleaned = without_resets(tree)
        assert isinstance(cleaned, Entries)
        return cleaned

    def _with_includes(self, root: Entries, variables: Mapping[str, str]) -> Entries:
        for item in items_of(root.get("include")):
            included = self._included(item, variables)
            if included is None:
                continue
            self._refuse_conflicts(root, included)
            root = merge_files(included, root)
        return root

    def _included(self, item: Node, variables: Mapping[str, str]) -> Entries | None:
        form = item if isinstance(item, Entries) else Entries({"path": item}, item.place)
        paths = _texts(form.get("path"))
        if not paths:
            self.findings.fault(item.place, "include: needs the path of a compose file: write `- other.yaml`.")
            return None
        source = item.place.source
        found = [source.base / path for path in paths]
        folder = _texts(form.get("project_directory"))
        base = source.base / folder[0] if folder else found[0].parent
        for env in _texts(form.get("env_file")) or [str(base / ".env")]:
            variables = env_of(source.base / env, self._label(source.base / env), variables, self.findings)
        if any(path.resolve() in [seen.resolve() for seen in self.files] for path in found):
            self.findings.fault(
                item.place, f"include: {paths[0]} is read already: it may be included once, not by itself."
            )
            return None
        fragments = [one for path in found for one in self._other(path, item.place, base)]
        return self.merge(fragments, variables) if fragments else None

    def _other(self, path: Path, place: Place, base: Path) -> list[Entries]:
        """The fragments of a file that another file names in `place`."""
        if not path.is_file():
            self.findings.fault(place, f"There is no compose file {path}: correct the path.")
            return []
        return self.fragments(path, self._label(path), base)

    def _label(self, path: Path) -> str:
        return str(path.relative_to(self.directory)) if path.is_relative_to(self.directory) else str(path)

    def _refuse_conflicts(self, root: Entries, included: Entries) -> None:
        theirs = {name: place for name, place, _ in pairs_of(included.get("services"))}
        for name, place, _ in pairs_of(root.get("services")):
            if name in theirs:
                label = theirs[name].source.label
                text = f"services.{name} is in the included {label} too: rename one, or merge the files with -f."
                self.findings.fault(place, text)

    def _extended(self, root: Entries, variables: Mapping[str, str]) -> Entries:
        services = root.get("services")
        if not isinstance(services, Entries):
            return root
        done = {name: self._extend(services, name, variables, ()) for name in services.values}
        return replace(root, values={**root.values, "services": replace(services, values=done)})

    def _extend(
        self, services: Entries, name: str, variables: Mapping[str, str], above: tuple[tuple[str, str], ...]
    ) -> Node:
        """A service over the one that it extends, and so on; `above` are those on the way here."""
        service = services.values[name]
        extends = service.get("extends") if isinstance(service, Entries) else None
        if not isinstance(service, Entries) or not isinstance(extends, Entries):
            return service
        own = replace(service, values={key: value for key, value in service.values.items() if key != "extends"})
        here = (services.place.source.label, name)
        if here in above:
            self.findings.fault(extends.place, f"services.{name} extends itself by way of others: break the circle.")
            return own
        target = "".join(_texts(extends.get("service")))
        others = self._services_of(extends, services, variables)
        if others is None:
            return own
        if target not in others.values:
            hint = did_you_mean(target, others.values) or ": correct the name."
            self.findings.fault(extends.place, f"services.{name} extends {target}, and there is no such service{hint}")
            return own
        base = self._extend(others, target, variables, (*above, here))
        return merge_services(base, own) if isinstance(base, Entries) else own

    def _services_of(self, extends: Entries, services: Entries, variables: Mapping[str, str]) -> Entries | None:
        """The services among which `extends` looks: those of its `file`, or of its own."""
        file = "".join(_texts(extends.get("file")))
        if not file:
            return services
        path = extends.place.source.base / file
        found = self._other(path, extends.where("file"), path.parent)
        if not found:
            return None
        checked = [check_file(one, self.findings) for one in self._filled(found, variables)]
        merged = checked[0]
        for later in checked[1:]:
            merged = merge_files(merged, later)
        others = merged.get("services")
        return others if isinstance(others, Entries) else None

    def _filled(self, fragments: Sequence[Entries], variables: Mapping[str, str]) -> list[Entries]:
        filled = [fill_in(one, variables, self.findings) for one in fragments]
        return [one for one in filled if isinstance(one, Entries)]


def _texts(node: Node | None) -> list[str]:
    if isinstance(node, Items):
        return [item.text for item in node.items if isinstance(item, Scalar)]
    return [node.text] if isinstance(node, Scalar) else []
