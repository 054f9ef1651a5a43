"""The REST interface: every path with what it reads from the state, or which change it asks for.

A slash at the end of a path is ignored; a subject may have slashes in it.
"""

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from headrace.http.paths import WithoutTrailingSlash
from headrace.http.routes import Routes
from headrace.registry import changes, formats
from headrace.registry.catalog import LATEST, Catalog, version_number
from headrace.registry.compatibility import CHECKED_TYPES, Level
from headrace.registry.errors import (
    InvalidSchema,
    RegistryError,
    no_subject_compatibility,
    no_subject_mode,
    schema_not_found,
    subject_not_found,
    version_not_found,
)
from headrace.registry.http.answer import ERRORS, answered, raw
from headrace.registry.http.body import flag, identifier, page, parse_object, proposal
from headrace.registry.schema import DEFAULT_CONTEXT, Schema, context_of
from headrace.registry.server import Change, RegistryServer

COMPATIBLE_WITH: Final = "8.0.0"
"""The Confluent registry whose interface this is."""
REQUEST_S: Final = 90.0
ALL_CONTEXTS: Final = ":*:"


def application(server: RegistryServer) -> ASGIApp:
    """The interface of one registry."""
    app = Routes("Headrace Schema Registry", COMPATIBLE_WITH)
    _add_root(app, server)
    _add_schemas(app, server)
    _add_versions(app, server)
    _add_subjects(app, server)
    _add_compatibility(app, server)
    _add_config(app, server)
    _add_mode(app, server)
    return WithoutTrailingSlash(app.application(ERRORS))


async def _changed(server: RegistryServer, change: Change, what: str) -> Any:
    return await asyncio.wait_for(asyncio.wrap_future(server.change(change, what)), REQUEST_S)


def _add_root(app: Routes, server: RegistryServer) -> None:
    @app.get("/")
    async def root(request: Request) -> Response:
        """An empty object, where the registry is there."""
        return answered(request, {})

    @app.post("/")
    async def post_root(request: Request) -> Response:
        """An empty object, for clients that try whether they may post."""
        return answered(request, {})

    @app.get("/contexts")
    async def list_contexts(request: Request) -> Response:
        """The contexts that subjects are in."""
        with server.reading() as catalog:
            return answered(request, page(request.query_params, sorted(catalog.state.contexts)))

    @app.get("/v1/metadata/version")
    async def metadata_version(request: Request) -> Response:
        """The version of the interface."""
        return answered(request, {"version": COMPATIBLE_WITH, "commitId": "headrace"})

    @app.get("/v1/metadata/id")
    async def metadata_id(request: Request) -> Response:
        """The cluster and the group of this registry."""
        clusters = {
            "kafka-cluster": server.cluster_id,
            "schema-registry-cluster": server.config["schema.registry.group.id"],
        }
        return answered(request, {"id": "", "scope": {"path": [], "clusters": clusters}})


def _matching(catalog: Catalog, request: Request, prefix: str) -> list[Schema]:
    """The versions whose subjects begin with a prefix; `deleted` and `deletedOnly` as the request has them."""
    only = flag(request.query_params, "deletedOnly")
    every = only or flag(request.query_params, "deleted")
    return [
        schema
        for schema in catalog.state.all_versions()
        if _begins(schema.subject, prefix) and (schema.deleted if only else every or not schema.deleted)
    ]


def _begins(subject: str, prefix: str) -> bool:
    if prefix.startswith(ALL_CONTEXTS):
        rest = prefix.removeprefix(ALL_CONTEXTS)
        own = subject.partition(":" + context_of(subject) + ":")[2] or subject
        return own.startswith(rest)
    return context_of(subject) == context_of(prefix) and subject.startswith(prefix)


def _add_schemas(app: Routes, server: RegistryServer) -> None:
    @app.get("/schemas")
    async def list_schemas(request: Request) -> Response:
        """Every version of every subject; with `latestOnly` the latest ones."""
        with server.reading() as catalog:
            found = _matching(catalog, request, request.query_params.get("subjectPrefix", ALL_CONTEXTS))
            if flag(request.query_params, "latestOnly"):
                found = list({schema.subject: schema for schema in found}.values())
            return answered(request, page(request.query_params, [schema.json() for schema in found]))

    @app.get("/schemas/types")
    async def list_types(request: Request) -> Response:
        """The types of schemas that may be registered."""
        return answered(request, sorted(formats.TYPES, reverse=True))

    @app.get("/schemas/ids/{id}")
    async def get_schema(id: str, request: Request) -> Response:
        """The schema of an id."""
        subject = request.query_params.get("subject")
        with server.reading() as catalog:
            schema = catalog.with_id(identifier(id), subject)
            shown = {"subject": schema.subject, "version": schema.version} if subject else {}
            shown |= {**schema.described(), "schema": _formatted(catalog, schema, request)}
            if flag(request.query_params, "fetchMaxId"):
                shown["maxId"] = catalog.state.max_id(schema.context)
        return answered(request, shown)

    @app.get("/schemas/ids/{id}/schema")
    async def get_schema_text(id: str, request: Request) -> Response:
        """The text of an id's schema."""
        with server.reading() as catalog:
            schema = catalog.with_id(identifier(id), request.query_params.get("subject"))
            return raw(request, _formatted(catalog, schema, request))

    @app.get("/schemas/ids/{id}/subjects")
    async def get_id_subjects(id: str, request: Request) -> Response:
        """The subjects that have an id's schema."""
        with server.reading() as catalog:
            found = _versions_of_id(catalog, identifier(id), request)
        return answered(request, page(request.query_params, [schema.subject for schema in found]))

    @app.get("/schemas/ids/{id}/versions")
    async def get_id_versions(id: str, request: Request) -> Response:
        """The versions that have an id's schema."""
        with server.reading() as catalog:
            found = _versions_of_id(catalog, identifier(id), request)
        shown = [{"subject": schema.subject, "version": schema.version} for schema in found]
        return answered(request, page(request.query_params, shown))

    @app.get("/schemas/guids/{guid}")
    async def get_guid(guid: str, request: Request) -> Response:
        """The schema of a global id."""
        with server.reading() as catalog:
            return answered(request, _with_guid(catalog, guid).described())

    @app.get("/schemas/guids/{guid}/ids")
    async def get_guid_ids(guid: str, request: Request) -> Response:
        """The ids of a schema, by context."""
        with server.reading() as catalog:
            ids = {context: catalog.state.id_with_guid(guid, context) for context in sorted(catalog.state.contexts)}
        return answered(request, [{"context": each, "id": id_} for each, id_ in ids.items() if id_ is not None])


def _versions_of_id(catalog: Catalog, id_: int, request: Request) -> list[Schema]:
    catalog.with_id(id_, request.query_params.get("subject"))
    found = catalog.state.versions_with_id(id_, context_of(request.query_params.get("subject")))
    deleted = flag(request.query_params, "deleted")
    return sorted((each for each in found if deleted or not each.deleted), key=lambda each: each.subject)


def _with_guid(catalog: Catalog, guid: str) -> Schema:
    for context in (DEFAULT_CONTEXT, *sorted(catalog.state.contexts)):
        id_ = catalog.state.id_with_guid(guid, context)
        if id_ is not None:
            return catalog.state.versions_with_id(id_, context)[0]
    raise schema_not_found(guid)


def _formatted(catalog: Catalog, schema: Schema, request: Request) -> str:
    """The text, with what it refers to written out where `format=resolved` asks for that."""
    if request.query_params.get("format", "").lower() != "resolved":
        return schema.content.text
    return catalog.parsed(schema).resolved()


def _add_versions(app: Routes, server: RegistryServer) -> None:
    @app.get("/subjects/{subject:path}/versions")
    async def list_versions(subject: str, request: Request) -> Response:
        """The numbers of a subject's versions."""
        deleted = flag(request.query_params, "deleted") or flag(request.query_params, "deletedOnly")
        with server.reading() as catalog:
            found = catalog.state.versions(subject, deleted=deleted)
        if flag(request.query_params, "deletedOnly"):
            found = [schema for schema in found if schema.deleted]
        if not found:
            raise subject_not_found(subject)
        return answered(request, page(request.query_params, [schema.version for schema in found]))

    @app.post("/subjects/{subject:path}/versions")
    async def register(subject: str, request: Request) -> Response:
        """Register a schema, or find it."""
        asked = proposal(subject, await request.body())
        normalize, force = flag(request.query_params, "normalize"), flag(request.query_params, "force")

        def change(catalog: Catalog) -> changes.Plan:
            return changes.register(catalog, asked, normalize=normalize, force=force)

        schema = await _changed(server, change, "Register schema operation")
        return answered(request, {"id": schema.id, "version": schema.version, **schema.described()})

    @app.get("/subjects/{subject:path}/versions/{version}/schema")
    async def get_version_schema(subject: str, version: str, request: Request) -> Response:
        """The text of a version."""
        with server.reading() as catalog:
            deleted = flag(request.query_params, "deleted")
            schema = catalog.must_get(subject, version_number(version), deleted=deleted)
            return raw(request, _formatted(catalog, schema, request))

    @app.get("/subjects/{subject:path}/versions/{version}/referencedby")
    async def get_referrers(subject: str, version: str, request: Request) -> Response:
        """The ids of the schemas that refer to a version."""
        with server.reading() as catalog:
            schema = catalog.must_get(subject, version_number(version), deleted=True)
            deleted = flag(request.query_params, "deleted")
            found = catalog.state.referrers(subject, schema.version, deleted=deleted)
        return answered(request, page(request.query_params, sorted({each.id for each in found})))

    @app.get("/subjects/{subject:path}/versions/{version}")
    async def get_version(subject: str, version: str, request: Request) -> Response:
        """One version of a subject; `latest` is a number too."""
        with server.reading() as catalog:
            deleted = flag(request.query_params, "deleted")
            schema = catalog.must_get(subject, version_number(version), deleted=deleted)
            return answered(request, {**schema.json(), "schema": _formatted(catalog, schema, request)})

    @app.delete("/subjects/{subject:path}/versions/{version}")
    async def delete_version(subject: str, version: str, request: Request) -> Response:
        """Delete a version; with `permanent` forget one that was deleted."""
        number, permanent = version_number(version), flag(request.query_params, "permanent")

        def change(catalog: Catalog) -> changes.Plan:
            return changes.delete_version(catalog, subject, number, permanent=permanent)

        return answered(request, await _changed(server, change, "Delete Schema Version operation"))


def _add_subjects(app: Routes, server: RegistryServer) -> None:
    @app.get("/subjects")
    async def list_subjects(request: Request) -> Response:
        """The names of the subjects."""
        with server.reading() as catalog:
            found = _matching(catalog, request, request.query_params.get("subjectPrefix", ALL_CONTEXTS))
        return answered(request, page(request.query_params, list(dict.fromkeys(schema.subject for schema in found))))

    @app.get("/subjects/{subject:path}/metadata")
    async def get_latest_with_metadata(subject: str, request: Request) -> Response:
        """The latest version whose metadata has these properties."""
        query = request.query_params
        wanted = dict(zip(query.getlist("key"), query.getlist("value"), strict=False))
        deleted = flag(query, "deleted")
        with server.reading() as catalog:
            found = catalog.state.versions(subject, deleted=deleted)
        if not found:
            raise subject_not_found(subject)
        for schema in reversed(found):
            if wanted.items() <= ((schema.content.metadata or {}).get("properties") or {}).items():
                return answered(request, schema.json())
        raise schema_not_found()

    @app.post("/subjects/{subject:path}")
    async def look_up(subject: str, request: Request) -> Response:
        """The version of a subject that is this schema."""
        asked = proposal(subject, await request.body())
        query = request.query_params
        with server.reading() as catalog:
            schema = catalog.look_up(asked, normalize=flag(query, "normalize"), deleted=flag(query, "deleted"))
            return answered(request, {**schema.json(), "schema": _formatted(catalog, schema, request)})

    @app.delete("/subjects/{subject:path}")
    async def delete_subject(subject: str, request: Request) -> Response:
        """Delete every version of a subject; with `permanent` forget those that were deleted."""
        permanent = flag(request.query_params, "permanent")

        def change(catalog: Catalog) -> changes.Plan:
            return changes.delete_subject(catalog, subject, permanent=permanent)

        return answered(request, await _changed(server, change, "Delete subject operation"))


def _compared(catalog: Catalog, request: Request, subject: str, body: bytes, previous: list[Schema]) -> Response:
    query = request.query_params
    asked = proposal(subject, body)
    _refuse_unchecked(catalog, subject, asked.kind)
    try:
        found = catalog.differences(asked, previous, normalize=flag(query, "normalize"))
    except InvalidSchema as error:
        if not flag(query, "verbose"):
            raise
        found = [str(error)]
    messages = {"messages": found} if flag(query, "verbose") else {}
    return answered(request, {"is_compatible": not found, **messages})


def _refuse_unchecked(catalog: Catalog, subject: str, kind: str) -> None:
    """No answer is better than one that nobody has checked."""
    if kind in formats.TYPES and kind not in CHECKED_TYPES and catalog.level(subject) is not Level.NONE:
        raise RegistryError(
            42203, f"The compatibility of {kind} schemas is not checked by this registry yet: it lets every version in"
        )


def _add_compatibility(app: Routes, server: RegistryServer) -> None:
    @app.post("/compatibility/subjects/{subject:path}/versions/{version}")
    async def compare_with_version(subject: str, version: str, request: Request) -> Response:
        """Whether a schema is compatible with one version."""
        body, number = await request.body(), version_number(version)
        with server.reading() as catalog:
            schema = catalog.get(subject, number)
            if schema is None and number != LATEST:
                raise version_not_found(number)
            return _compared(catalog, request, subject, body, [] if schema is None else [schema])

    @app.post("/compatibility/subjects/{subject:path}/versions")
    async def compare_with_all(subject: str, request: Request) -> Response:
        """Whether a schema is compatible with the versions that its level asks for."""
        body = await request.body()
        with server.reading() as catalog:
            return _compared(catalog, request, subject, body, catalog.state.versions(subject))


def _add_config(app: Routes, server: RegistryServer) -> None:
    def show(subject: str | None, request: Request) -> Response:
        with server.reading() as catalog:
            scoped = flag(request.query_params, "defaultToGlobal")
            config = catalog.config_in_scope(subject) if scoped else catalog.config(subject)
        if config is None:
            raise no_subject_compatibility(str(subject))
        return answered(request, config)

    async def put(subject: str | None, request: Request) -> Response:
        given = parse_object(await request.body())
        change = await _changed(server, lambda it: changes.set_config(it, subject, given), "Update config operation")
        return answered(request, change)

    async def delete(subject: str | None, request: Request) -> Response:
        change = await _changed(server, lambda it: changes.delete_config(it, subject), "Delete config operation")
        return answered(request, change)

    @app.get("/config")
    async def get_config(request: Request) -> Response:
        """The config of all subjects."""
        return show(None, request)

    @app.put("/config")
    async def put_config(request: Request) -> Response:
        """Set the config of all subjects."""
        return await put(None, request)

    @app.delete("/config")
    async def delete_config(request: Request) -> Response:
        """Forget the config of all subjects."""
        return await delete(None, request)

    @app.get("/config/{subject:path}")
    async def get_subject_config(subject: str, request: Request) -> Response:
        """The config of a subject; with `defaultToGlobal` the one that counts for it."""
        return show(subject, request)

    @app.put("/config/{subject:path}")
    async def put_subject_config(subject: str, request: Request) -> Response:
        """Set the config of a subject."""
        return await put(subject, request)

    @app.delete("/config/{subject:path}")
    async def delete_subject_config(subject: str, request: Request) -> Response:
        """Forget the config of a subject."""
        return await delete(subject, request)


def _add_mode(app: Routes, server: RegistryServer) -> None:
    def show(subject: str | None, request: Request) -> Response:
        with server.reading() as catalog:
            scoped = flag(request.query_params, "defaultToGlobal")
            mode = catalog.mode_in_scope(subject) if scoped else catalog.mode(subject)
        if mode is None:
            raise no_subject_mode(str(subject))
        return answered(request, {"mode": mode})

    async def put(subject: str | None, request: Request) -> Response:
        server.check_modes_may_change()
        mode, force = parse_object(await request.body()).get("mode"), flag(request.query_params, "force")
        change = await _changed(
            server, lambda it: changes.set_mode(it, subject, mode, force=force), "Set mode operation"
        )
        return answered(request, change)

    async def delete(subject: str | None, request: Request) -> Response:
        server.check_modes_may_change()
        change = await _changed(server, lambda it: changes.delete_mode(it, subject), "Delete mode operation")
        return answered(request, change)

    @app.get("/mode")
    async def get_mode(request: Request) -> Response:
        """The mode of all subjects."""
        return show(None, request)

    @app.put("/mode")
    async def put_mode(request: Request) -> Response:
        """Set the mode of all subjects."""
        return await put(None, request)

    @app.delete("/mode")
    async def delete_mode(request: Request) -> Response:
        """Forget the mode of all subjects."""
        return await delete(None, request)

    @app.get("/mode/{subject:path}")
    async def get_subject_mode(subject: str, request: Request) -> Response:
        """The mode of a subject; with `defaultToGlobal` the one that counts for it."""
        return show(subject, request)

    @app.put("/mode/{subject:path}")
    async def put_subject_mode(subject: str, request: Request) -> Response:
        """Set the mode of a subject."""
        return await put(subject, request)

    @app.delete("/mode/{subject:path}")
    async def delete_subject_mode(subject: str, request: Request) -> Response:
        """Forget the mode of a subject."""
        return await delete(subject, request)
