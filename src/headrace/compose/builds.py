"""`build:`, read for what it would build."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from headrace.compose.dockerfile import DockerfileError, Stage, read_dockerfile
from headrace.compose.draft import texts
from headrace.compose.findings import Findings, Place, Source, did_you_mean, sentence
from headrace.compose.loading import read_text
from headrace.compose.nodes import Entries, Scalar, items_of, pairs_of
from headrace.compose.scalars import container_text

_REMOTE: Final = ("http://", "https://", "git://", "git@", "ssh://", "docker-image://", "oci-layout://", "service:")


def read_build(name: str, entries: Entries, shell: Mapping[str, str], findings: Findings) -> Stage | None:
    """The last stage of the build; None where there is no `build:`, or it cannot be read, which is found."""
    build = entries.get("build")
    if not isinstance(build, Entries):
        return None
    found = _dockerfile(name, build, findings)
    if found is None:
        return Stage("") if _is_remote(build) else None
    text, place = found
    try:
        return read_dockerfile(text, _arguments(build, shell), "".join(texts(build.get("target"))))
    except DockerfileError as error:
        findings.fault(Place(place.source, place.line + error.line), sentence(error))
        return None


def context(build: Entries) -> Path:
    """The folder that is built."""
    text = "".join(texts(build.get("context"))) or "."
    return build.place.source.base / Path(text).expanduser()


def _is_remote(build: Entries) -> bool:
    return "".join(texts(build.get("context"))).startswith(_REMOTE)


def _dockerfile(name: str, build: Entries, findings: Findings) -> tuple[str, Place] | None:
    """The text of the Dockerfile, and the place before its first line."""
    inline = build.get("dockerfile_inline")
    if isinstance(inline, Scalar):
        return inline.text, inline.place
    if _is_remote(build):
        return None
    written = "".join(texts(build.get("dockerfile"))) or "Dockerfile"
    path = context(build) / written
    place = build.where("dockerfile" if "dockerfile" in build.values else "context")
    folder = path.parent
    others = [other.name for other in folder.iterdir()] if folder.is_dir() else []
    hint = did_you_mean(path.name, others).removeprefix("; ") or "create it, or correct `dockerfile:`."
    text = read_text(path, place, f"Dockerfile of services.{name}", hint, findings)
    label = str(Path(place.source.label).parent / Path("".join(texts(build.get("context"))) or ".") / written)
    return None if text is None else (text, Place(Source(label, folder)))


def _arguments(build: Entries, shell: Mapping[str, str]) -> dict[str, str]:
    """`args:`; one without a value comes from the shell."""
    arguments = build.get("args")
    found = {}
    for key, _, value in pairs_of(arguments):
        if isinstance(value, Scalar):
            found[key] = shell.get(key, "") if value.is_null else container_text(value)
    for item in items_of(arguments):
        key, equals, text = "".join(texts(item)).partition("=")
        found[key] = text if equals else shell.get(key, "")
    return found
