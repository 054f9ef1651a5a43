"""What converters ask of a schema registry: an id for a schema, the schema of an id, the newest of a subject.

Answers are remembered; what a registry refused is remembered for a while, so that a batch of records that all have the
refused schema does not ask for each; and so is that none answered. One thread a client.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

from headrace.connect.api import ConnectError, DataError, RetriableError
from headrace.connect.converters.registry.settings import RegistrySettings
from headrace.connect.converters.registry.transport import Answer, Transport

Found = TypeVar("Found")
REFUSED_S: Final = 10.0
AWAY_S: Final = 5.0
"""A batch that fails is halved until its records fail one by one: that must not take all tries each time."""
MOST_REFERENCES: Final = 1000


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema with its id; `references` are (name, text) of what it refers to, each after what it refers to itself."""

    id: int
    kind: str
    """AVRO, JSON or PROTOBUF."""
    text: str
    references: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failure as it is remembered: the error itself would keep the batch alive that it was raised for."""

    until: float
    kind: type[ConnectError]
    text: str


class RegistryClient:
    """A registry as a converter sees it. Raises RetriableError where none answers, DataError where it refuses."""

    def __init__(
        self,
        settings: RegistrySettings,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._transport = transport or Transport(settings)
        self._clock = clock
        self._size = settings["max.schemas.per.subject"]
        self._known: dict[Hashable, Any] = {}
        self._refused: dict[Hashable, _Failure] = {}
        self._away: _Failure | None = None
        self._latest: dict[str, tuple[float, RegisteredSchema]] = {}

    def id_of(self, subject: str, kind: str, text: str) -> int:
        """The id of a schema under a subject: registered there, or looked up with auto.register.schemas=false."""
        find = self._register if self._settings["auto.register.schemas"] else self._look_up
        return self._remembered(("id", subject, text), lambda: find(subject, kind, text))

    def schema(self, schema_id: int) -> RegisteredSchema:
        """The schema of an id, with all that it refers to."""
        return self._remembered(("schema", schema_id), lambda: self._fetched(schema_id))

    def latest(self, subject: str) -> RegisteredSchema:
        """The newest schema of a subject, as of latest.cache.ttl.sec ago at most."""
        known = self._latest.get(subject)
        if known is not None and self._clock() < known[0]:
            return known[1]
        found = self._asked(("latest", subject), lambda: self._newest(subject))
        seconds = self._settings["latest.cache.ttl.sec"]
        self._latest[subject] = (self._clock() + seconds if seconds >= 0 else float("inf"), found)
        return found

    def _newest(self, subject: str) -> RegisteredSchema:
        answer = self._transport.ask("GET", f"/subjects/{quote(subject, safe='')}/versions/latest")
        return self._made(self._checked(answer, f"subject {subject} has no schema: register one"))

    def _remembered(self, key: Hashable, find: Callable[[], Found]) -> Found:
        known: Found | None = self._known.get(key)
        if known is None:
            known = self._asked(key, find)
            self._put(self._known, key, known)
        return known

    def _asked(self, key: Hashable, find: Callable[[], Found]) -> Found:
        """What the registry says, unless it has refused just that, or been away, a moment ago."""
        for failure in filter(None, (self._refused.get(key), self._away)):
            if self._clock() < failure.until:
                raise failure.kind(failure.text)
        try:
            return find()
        except RetriableError as error:
            self._away = _Failure(self._clock() + AWAY_S, type(error), str(error))
            raise
        except ConnectError as error:
            self._put(self._refused, key, _Failure(self._clock() + REFUSED_S, type(error), str(error)))
            raise

    def _put(self, cache: dict[Hashable, Any], key: Hashable, value: Any) -> None:
        if len(cache) >= self._size:
            cache.pop(next(iter(cache)))
        cache[key] = value

    def _register(self, subject: str, kind: str, text: str) -> int:
        answer = self._post(f"/subjects/{quote(subject, safe='')}/versions", kind, text)
        if answer.status == 409:
            raise DataError(
                f"The schema registry at {answer.url} refused the schema for subject {subject}: {answer.message}. "
                f"Write what fits the versions there, or change the rule: PUT /config/{subject}"
            )
        return int(self._checked(answer, f"subject {subject}: {answer.message}")["id"])

    def _look_up(self, subject: str, kind: str, text: str) -> int:
        answer = self._post(f"/subjects/{quote(subject, safe='')}", kind, text)
        fix = (
            f"subject {subject} does not have the schema {text}: register it there, or set "
            f"{self._settings.role}.auto.register.schemas=true, or use.latest.version=true"
        )
        return int(self._checked(answer, fix)["id"])

    def _post(self, path: str, kind: str, text: str) -> Answer:
        body = {"schema": text} if kind == "AVRO" else {"schema": text, "schemaType": kind}
        return self._transport.ask(
            "POST", path + ("?normalize=true" if self._settings["normalize.schemas"] else ""), body
        )

    def _fetched(self, schema_id: int) -> RegisteredSchema:
        answer = self._transport.ask("GET", f"/schemas/ids/{schema_id}")
        missing = f"it has no schema with id {schema_id}: the message was written with another registry"
        return self._made({"id": schema_id, **self._checked(answer, missing)})

    def _made(self, body: dict[str, Any]) -> RegisteredSchema:
        references: dict[str, str] = {}
        self._collect(body, references, frozenset())
        return RegisteredSchema(
            int(body["id"]), body.get("schemaType") or "AVRO", body["schema"], tuple(references.items())
        )

    def _collect(self, body: dict[str, Any], found: dict[str, str], around: frozenset[str]) -> None:
        """What a schema refers to, and before each what that refers to; `around` it stands what refers to it."""
        for reference in body.get("references") or ():
            name, subject, version = reference["name"], reference["subject"], reference["version"]
            if name in found or name in around or len(found) >= MOST_REFERENCES:
                continue
            answer = self._transport.ask("GET", f"/subjects/{quote(subject, safe='')}/versions/{version}?deleted=true")
            inner = self._checked(answer, f"the reference {name} (version {version} of subject {subject}) is not there")
            self._collect(inner, found, around | {name})
            found[name] = inner["schema"]

    def _checked(self, answer: Answer, missing: str) -> dict[str, Any]:
        """The body of a good answer; `missing` says what it means that there is none."""
        if answer.status == 200 and isinstance(answer.body, dict):
            return answer.body
        at = f"The schema registry at {answer.url}"
        role = self._settings.role
        if answer.status in (401, 403):
            raise ConnectError(
                f"{at} refused the login ({answer.status}: {answer.message}): correct "
                f"{role}.basic.auth.user.info with {role}.basic.auth.credentials.source=USER_INFO"
            )
        if answer.status == 200 or (answer.status == 404 and not answer.code):
            raise ConnectError(f"{at} does not answer as a registry does: correct {role}.schema.registry.url")
        raise DataError(f"{at}: {missing} ({answer.code or answer.status}: {answer.message})")
