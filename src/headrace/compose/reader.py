"""`read_plan`: compose files as they stand, in; a plan, or every fault at once, out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from headrace.compose.builds import context, read_build
from headrace.compose.checks import Together, check_dependency, check_together, start_order
from headrace.compose.dockerfile import Stage
from headrace.compose.draft import (
    Draft,
    Variable,
    read_ports,
    read_variables,
    read_volumes,
    texts,
    words,
)
from headrace.compose.findings import Findings, Place, Source, did_you_mean
from headrace.compose.images import image_kind, runs_the_image
from headrace.compose.interpolation import InterpolationError, interpolate
from headrace.compose.keys import SERVICE_KEYS, TOP_KEYS, Verdict
from headrace.compose.kinds import is_controller_only, properties_of, settings_of
from headrace.compose.loading import DEFAULT_NAMES, Loader, default_files, env_of
from headrace.compose.nodes import Entries, Scalar, items_of, names_of, pairs_of
from headrace.compose.plan import ComposeError, Fault, Plan, Service, ServiceKind, Volume
from headrace.compose.plugins import plugin_note

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SERVICE: Final = re.compile(r"[A-Za-z0-9._-]+")
_ZOOKEEPER: Final = (
    "is not started: ZooKeeper keeps a Kafka cluster's metadata and elects its leaders, and our broker is one node "
    "that keeps its own."
)
_CONTROLLER: Final = "is not started: it is a controller alone, and our broker is one node that is its own."


def read_plan(
    files: Sequence[str | Path], project_name: str | None, environment: Mapping[str, str], directory: Path
) -> Plan:
    """The plan of these files, merged in their order; of the default ones where none is named.

    `environment` is the shell's; relative paths begin at `directory`. Raises ComposeError with all faults.
    """
    findings = Findings()
    paths = _paths(files, environment, directory)
    base = paths[0].parent
    shell = env_of(base / ".env", _label(base / ".env", directory), environment, findings)
    loader = Loader(directory, findings)
    fragments = [one for path in paths for one in loader.fragments(path, _label(path, directory), base)]
    if not fragments:
        findings.check()
        raise AssertionError("a file without fragments is a fault")
    name = _project_name(project_name, shell, fragments, base, findings)
    root = loader.merge(fragments, {**shell, "COMPOSE_PROJECT_NAME": name})
    plan = _Reader(name, shell, root, findings).plan(tuple(loader.files))
    findings.check()
    return plan


def _paths(files: Sequence[str | Path], environment: Mapping[str, str], directory: Path) -> list[Path]:
    separator = environment.get("COMPOSE_PATH_SEPARATOR", ":")
    named = list(files) or [part for part in environment.get("COMPOSE_FILE", "").split(separator) if part]
    found = [directory / Path(file).expanduser() for file in named] or default_files(directory)
    if not found:
        text = f"There is no compose file here ({', '.join(DEFAULT_NAMES)}): name one with -f."
        raise ComposeError([Fault(str(directory), 0, text)])
    return found


def _label(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else str(path)


def _project_name(
    given: str | None, shell: Mapping[str, str], fragments: Sequence[Entries], base: Path, findings: Findings
) -> str:
    """-p, COMPOSE_PROJECT_NAME, the last `name:`, or the folder's name in the letters that Docker allows."""
    place = Place(Source(given or "", base))
    name = given or shell.get("COMPOSE_PROJECT_NAME") or ""
    for fragment in fragments if not name else ():
        written = fragment.get("name")
        if isinstance(written, Scalar):
            place = written.place
            try:
                name = interpolate(written.text, shell)
            except InterpolationError:  # found where the tree is filled in
                return "faulty"
    if not name:
        return re.sub(r"[^a-z0-9_-]", "", base.resolve().name.lower()).lstrip("_-") or "default"
    if not _NAME.fullmatch(name):
        text = f"{name!r} is no project's name: write lower-case letters, digits, - and _, a letter or digit first."
        findings.fault(place, text)
    return name


class _Reader:
    """Services of one tree, one after the other, then together."""

    def __init__(self, project: str, shell: Mapping[str, str], root: Entries, findings: Findings) -> None:
        self._project = project
        self._shell = shell
        self._root = root
        self._findings = findings
        self._left_out: dict[str, tuple[str, ...]] = {}

    def plan(self, files: tuple[Path, ...]) -> Plan:
        for key in self._root.values:
            if key in TOP_KEYS and TOP_KEYS[key].verdict is Verdict.NOT_NEEDED:
                self._findings.note("", self._root.where(key), f"{key}: {TOP_KEYS[key].text}.")
        chosen = self._chosen()
        drafts: dict[str, Draft] = {}
        services = []
        for name, entries in chosen.items():
            draft, service = self._service(name, entries, chosen)
            drafts[name] = draft
            services.append(service)
        together = Together(services, drafts, self._left_out)
        check_together(together, self._findings)
        ordered = start_order(together, self._findings)
        return Plan(self._project, files, tuple(ordered), tuple(self._findings.notes))

    def _chosen(self) -> dict[str, Entries]:
        """The services whose profiles are asked for."""
        services = self._root.get("services")
        if not isinstance(services, Entries) or not services.values:
            if not self._findings.faults:
                self._findings.fault(self._root.place, "There is no service in it: add `services:` with one or more.")
            return {}
        asked = {part.strip() for part in self._shell.get("COMPOSE_PROFILES", "").split(",")}
        chosen = {}
        for name, entries in services.values.items():
            if not _SERVICE.fullmatch(name):
                text = f"{name!r} is no service's name: write letters, digits, . _ and -."
                self._findings.fault(services.where(name), text)
            if not isinstance(entries, Entries):
                continue
            profiles = texts(entries.get("profiles"))
            if profiles and not asked & {*profiles, "*"}:
                self._left_out[name] = profiles
                text = f"is left out: its profile is asked for with COMPOSE_PROFILES={profiles[0]}."
                self._findings.note(name, services.where(name), text)
            else:
                chosen[name] = replace(entries, place=services.where(name))
        return chosen

    def _service(self, name: str, entries: Entries, chosen: Mapping[str, Entries]) -> tuple[Draft, Service]:
        findings = self._findings
        stage = read_build(name, entries, self._shell, findings)
        draft = self._draft(name, entries, stage)
        kind = self._kind(draft, stage)
        self._note_keys(draft, kind)
        settings = settings_of(draft, kind, findings)
        service = Service(
            name=name,
            container_name=_one(entries, "container_name") or f"{self._project}-{name}-1",
            image=_one(entries, "image") or f"{self._project}-{name}",
            kind=kind,
            file=Path(draft.place.source.label),
            line=draft.place.line,
            names=draft.names,
            ports=draft.ports,
            depends_on=self._depends_on(draft, chosen),
            environment=draft.environment,
            properties=properties_of(draft, kind),
            entrypoint=draft.entrypoint,
            command=draft.command,
            volumes=draft.volumes,
            restart=_one(entries, "restart") or "no",
            settings=settings,
        )
        return draft, service

    def _draft(self, name: str, entries: Entries, stage: Stage | None) -> Draft:
        findings = self._findings
        image = stage.image if stage else _one(entries, "image")
        if not image and stage is None and "build" not in entries.values:
            self._refuse_no_image(name, entries)
        variables = read_variables(name, entries, self._shell, findings)
        brought = {
            key: Variable(text, entries.where("build")) for key, text in (stage.environment if stage else {}).items()
        }
        ports, places = read_ports(name, entries, findings)
        path = f"services.{name}"
        own_entrypoint = words(entries.get("entrypoint"), f"{path}.entrypoint", findings)
        own_command = words(entries.get("command"), f"{path}.command", findings)
        return Draft(
            name=name,
            entries=entries,
            place=entries.place,
            image=image,
            variables={**brought, **variables},
            names=self._names(name, entries),
            ports=ports,
            port_places=places,
            volumes=(*read_volumes(name, entries, self._root.get("volumes"), findings), *self._secrets(name, entries)),
            entrypoint=own_entrypoint or (stage.entrypoint if stage else ()),
            command=own_command or (stage.command if stage and not own_entrypoint else ()),
            plugins=tuple(plugin_note(*plugin) for plugin in stage.plugins) if stage else (),
            scripts=_copied_scripts(entries, stage),
        )

    def _refuse_no_image(self, name: str, entries: Entries) -> None:
        if "image" in entries.values:
            text = f"services.{name} has an empty image: write `image: NAME:TAG`."
            self._findings.fault(entries.where("image"), text)
        elif "provider" not in entries.values:
            text = f"services.{name} has neither image: nor build: (or its key is misspelt): add `image: NAME:TAG`."
            self._findings.fault(entries.place, text)

    def _names(self, name: str, entries: Entries) -> tuple[str, ...]:
        """Service, container and host name, and the aliases of its networks."""
        found = [name, _one(entries, "container_name"), _one(entries, "hostname")]
        known = names_of(self._root.get("networks")) | {"default"}
        for network, place, value in pairs_of(entries.get("networks")):
            found += texts(value.get("aliases")) if isinstance(value, Entries) else ()
            if network not in known:
                text = f"services.{name} is in the network {network}, which is not under `networks:` at the top"
                self._findings.fault(place, f"{text}: add it there, or remove it here.")
        return tuple(dict.fromkeys(filter(None, found)))

    def _secrets(self, name: str, entries: Entries) -> list[Volume]:
        """Secrets as what they are: files mounted in /run/secrets."""
        known = self._root.get("secrets")
        found = []
        for item in items_of(entries.get("secrets")):
            form = item if isinstance(item, Entries) else Entries({"source": item}, item.place)
            source = _one(form, "source")
            secret = known.values.get(source) if isinstance(known, Entries) else None
            if secret is None:
                hint = did_you_mean(source, names_of(known))
                text = f"services.{name} uses the secret {source}, which is not under `secrets:` at the top"
                self._findings.fault(item.place, f"{text}{hint or ': add it there.'}")
            file = _one(secret, "file") if isinstance(secret, Entries) else ""
            if secret is not None and file:
                path = (secret.place.source.base / Path(file).expanduser()).resolve()
                target = _one(form, "target") or source
                found.append(
                    Volume("bind", str(path), target if target.startswith("/") else f"/run/secrets/{target}", True)
                )
        return found

    def _kind(self, draft: Draft, stage: Stage | None) -> ServiceKind:
        kind, findings = image_kind(draft.image), self._findings
        if kind is ServiceKind.FOREIGN:
            if stage is not None and "build" in draft.entries.values:
                text = "is a program of yours, which is built: start it yourself."
            else:
                text = f"is none of our servers ({draft.image or 'no image'}): start it yourself."
            findings.note(draft.name, draft.place, text)
            return kind
        if not runs_the_image(kind, draft.entrypoint, draft.command):
            text = "runs a command of its own, not its image's server: run it yourself, in `headrace shell`."
            findings.note(draft.name, draft.entries.where("command"), text)
            return ServiceKind.FOREIGN
        if kind is ServiceKind.BROKER and is_controller_only(draft):
            findings.note(draft.name, draft.place, _CONTROLLER)
            return ServiceKind.ZOOKEEPER
        if kind is ServiceKind.ZOOKEEPER:
            findings.note(draft.name, draft.place, _ZOOKEEPER)
        return kind

    def _note_keys(self, draft: Draft, kind: ServiceKind) -> None:
        """One line for each key that does nothing here; what is not started needs none."""
        if kind in (ServiceKind.FOREIGN, ServiceKind.ZOOKEEPER):
            return
        for key in draft.entries.values:
            if key in SERVICE_KEYS and SERVICE_KEYS[key].verdict is Verdict.NOT_NEEDED:
                self._findings.note(draft.name, draft.entries.where(key), f"{key}: {SERVICE_KEYS[key].text}.")

    def _depends_on(self, draft: Draft, chosen: Mapping[str, Entries]) -> tuple[str, ...]:
        wanted: dict[str, tuple[Place, bool]] = {}
        for name, place, value in pairs_of(draft.entries.get("depends_on")):
            wanted[name] = (place, not (isinstance(value, Entries) and _one(value, "required") == "false"))
        for item in items_of(draft.entries.get("links")):
            wanted.setdefault("".join(texts(item)).partition(":")[0], (item.place, True))
        found = []
        for name, (place, required) in wanted.items():
            wrong = check_dependency(draft, name, place, [key for key in chosen if key != draft.name], self._left_out)
            if not wrong:
                found.append(name)
            elif required:
                self._findings.fault(place, wrong)
        return tuple(found)


def _one(entries: Entries, key: str) -> str:
    return "".join(texts(entries.get(key)))


def _copied_scripts(entries: Entries, stage: Stage | None) -> tuple[Path, ...]:
    """Files that a build copies to where PostgreSQL's image looks for scripts."""
    build = entries.get("build")
    found: list[Path] = []
    for copy in stage.copies if stage and isinstance(build, Entries) else ():
        if len(copy) > 1 and copy[-1].startswith("/docker-entrypoint-initdb.d") and isinstance(build, Entries):
            for source in copy[:-1]:
                path = context(build) / source
                found += sorted(path.iterdir()) if path.is_dir() else [path]
    return tuple(path for path in found if path.is_file())
