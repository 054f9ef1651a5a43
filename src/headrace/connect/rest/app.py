"""The REST interface of the worker: Kafka Connect's paths, answers and errors (`{error_code, message}`, always).

Bodies are parsed as JSON whatever their content type, a slash at the end of a path is ignored, and FastAPI's own 422,
`detail` and redirects never show. Each request is handed to the herder and waited for without a thread of its own.
"""

import asyncio
import logging
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from headrace.connect.rest import connector_log, loggers, plugins
from headrace.connect.rest.body import config_of, creation, named_config, offsets_of, parse_object
from headrace.connect.rest.secrets import masked, unmasked
from headrace.connect.runtime.connector_requests import Created
from headrace.connect.runtime.errors import BadRequest, Forbidden, NotFound, RequestError
from headrace.connect.runtime.hosts import HostLost, RequestFailed
from headrace.connect.runtime.messages import TaskId, Validation
from headrace.connect.runtime.server import ConnectServer
from headrace.connect.stores.config import RestartRequest, TargetState
from headrace.http.paths import WithoutTrailingSlash
from headrace.http.routes import Routes

log = logging.getLogger(__name__)

KAFKA_VERSION: Final = "4.3.1"
"""The Kafka Connect whose interface this is: clients ask for it to know what they may use."""
REQUEST_S: Final = 90.0
HEALTH_S: Final = 10.0
T = TypeVar("T")


async def answer(future: "Future[T]", seconds: float = REQUEST_S) -> T:
    """Wait for the herder. Raises RequestError where it takes too long."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
    except TimeoutError:
        raise RequestError("Request timed out") from None


def error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error_code": status, "message": message}, status)


def application(server: ConnectServer) -> ASGIApp:
    """The interface of one worker."""
    app = Routes("Headrace Connect", KAFKA_VERSION)
    _add_worker(app, server)
    _add_connectors(app, server)
    _add_states(app, server)
    _add_offsets(app, server)
    _add_topics(app, server)
    _add_plugins(app, server)
    loggers.add(app, server)
    connector_log.add(app, server)
    return WithoutTrailingSlash(app.application(_ERRORS))


async def _refused(_: Request, problem: RequestError) -> Response:
    return error(problem.status, str(problem))


async def _failed(_: Request, problem: RequestFailed) -> Response:
    lost = isinstance(problem, HostLost)
    return error(HTTPStatus.INTERNAL_SERVER_ERROR if lost else HTTPStatus.BAD_REQUEST, str(problem))


async def _no_route(_: Request, problem: HTTPException) -> Response:
    return error(problem.status_code, f"HTTP {problem.status_code} {HTTPStatus(problem.status_code).phrase}")


async def _unexpected(_: Request, problem: Exception) -> Response:
    log.error("A request failed", exc_info=problem)
    return error(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(problem).__name__}: {problem}")


_ERRORS: Final = {
    RequestError: _refused,
    RequestFailed: _failed,
    HTTPException: _no_route,
    Exception: _unexpected,
}


def _add_worker(app: Routes, server: ConnectServer) -> None:
    @app.get("/")
    async def root() -> dict[str, str]:
        """The version of this worker and the id of its Kafka cluster."""
        return {"version": KAFKA_VERSION, "commit": server.commit, "kafka_cluster_id": server.cluster_id}

    @app.get("/health")
    async def health() -> Response:
        """Whether the worker is ready and answers (KIP-1017)."""
        if not server.ready:
            return JSONResponse({"status": "starting", "message": server.stage}, HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            await answer(server.connectors.names(), HEALTH_S)
        except RequestError:
            text = "Worker was unable to handle this request and may be unable to handle other requests"
            return JSONResponse({"status": "unhealthy", "message": text}, HTTPStatus.INTERNAL_SERVER_ERROR)
        return JSONResponse(
            {"status": "healthy", "message": "Worker has completed startup and is ready to handle requests."}
        )


def _shown(server: ConnectServer, info: dict[str, Any]) -> dict[str, Any]:
    return {**info, "config": masked(info["config"])} if server.masks_secrets else info


def _created(server: ConnectServer, created: Created) -> Response:
    location = {"Location": "/connectors/" + quote(created.info["name"])} if created.new else {}
    status = HTTPStatus.CREATED if created.new else HTTPStatus.OK
    return JSONResponse(_shown(server, created.info), status, location)


async def _kept(server: ConnectServer, name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The config that is meant: a masked value that comes back stands for the stored one."""
    if not server.masks_secrets:
        return config
    try:
        stored = await answer(server.connectors.config(name))
    except NotFound:
        return config
    return unmasked(config, stored)


def _add_connectors(app: Routes, server: ConnectServer) -> None:
    requests = server.connectors

    @app.get("/connectors")
    async def list_connectors(request: Request) -> Any:
        """The names of all connectors, or with `expand=status` and `expand=info` what there is to know of each."""
        kinds = request.query_params.getlist("expand")
        if not kinds:
            return await answer(requests.names())
        found = await answer(requests.expanded(kinds))
        for each in found.values():
            if "info" in each:
                each["info"] = _shown(server, each["info"])
        return found

    @app.post("/connectors")
    async def create_connector(request: Request) -> Response:
        """Create a connector from `{name, config, initial_state}`."""
        name, config, initial = creation(await request.body())
        return _created(server, await answer(requests.put(name, config, initial, replace=False)))

    @app.get("/connectors/{connector}")
    async def get_connector(connector: str) -> Any:
        """Config and tasks of a connector."""
        return _shown(server, await answer(requests.info(connector)))

    @app.delete("/connectors/{connector}")
    async def delete_connector(connector: str) -> Response:
        """Delete a connector: its tasks are stopped, its offsets stay."""
        await answer(requests.delete(connector))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @app.get("/connectors/{connector}/config")
    async def get_config(connector: str) -> Any:
        """The config of a connector, as it was written."""
        config = await answer(requests.config(connector))
        return masked(config) if server.masks_secrets else config

    @app.put("/connectors/{connector}/config")
    async def put_config(connector: str, request: Request) -> Response:
        """Create a connector, or give it another config."""
        config = named_config(connector, config_of(parse_object(await request.body())))
        return _created(server, await answer(requests.put(connector, await _kept(server, connector, config))))

    @app.patch("/connectors/{connector}/config")
    async def patch_config(connector: str, request: Request) -> Response:
        """Change some keys of a config; null takes a key away."""
        changes = config_of(parse_object(await request.body()))
        return _created(server, await answer(requests.patch(connector, await _kept(server, connector, changes))))

    @app.get("/connectors/{connector}/tasks")
    async def get_tasks(connector: str) -> Any:
        """The tasks of a connector with their configs."""
        tasks = await answer(requests.tasks(connector))
        return [_shown(server, task) for task in tasks]


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "false").lower() == "true"


def _task_id(connector: str, task: str) -> TaskId:
    if not task.isdigit():
        raise NotFound("HTTP 404 Not Found")
    return TaskId(connector, int(task))


def _add_states(app: Routes, server: ConnectServer) -> None:
    requests = server.connectors

    @app.get("/connectors/{connector}/status")
    async def get_status(connector: str) -> Any:
        """The state of a connector and its tasks."""
        return await answer(requests.status(connector))

    @app.get("/connectors/{connector}/tasks/{task}/status")
    async def get_task_status(connector: str, task: str) -> Any:
        """The state of one task."""
        return await answer(requests.task_status(_task_id(connector, task)))

    @app.post("/connectors/{connector}/restart")
    async def restart(connector: str, request: Request) -> Response:
        """Restart the connector, with `includeTasks` its tasks too, with `onlyFailed` only what has failed."""
        asked = RestartRequest(connector, _flag(request, "onlyFailed"), _flag(request, "includeTasks"))
        if not asked.include_tasks and not asked.only_failed:
            await answer(requests.restart_connector(connector))
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return JSONResponse(await answer(requests.restart(asked)), HTTPStatus.ACCEPTED)

    @app.post("/connectors/{connector}/tasks/{task}/restart")
    async def restart_task(connector: str, task: str) -> Response:
        """Restart one task."""
        await answer(requests.restart_task(_task_id(connector, task)))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def target(path: str, state: TargetState, status: HTTPStatus, what: str) -> None:
        async def change(connector: str) -> Response:
            await answer(requests.set_state(connector, state))
            return Response(status_code=status)

        change.__doc__ = what
        app.put("/connectors/{connector}/" + path, name=path)(change)

    target("pause", TargetState.PAUSED, HTTPStatus.ACCEPTED, "Pause a connector: its tasks keep their resources.")
    target("resume", TargetState.STARTED, HTTPStatus.ACCEPTED, "Resume a paused or stopped connector.")
    target("stop", TargetState.STOPPED, HTTPStatus.NO_CONTENT, "Stop a connector: its tasks go, its config stays.")


def _add_offsets(app: Routes, server: ConnectServer) -> None:
    @app.get("/connectors/{connector}/offsets")
    async def get_offsets(connector: str) -> Any:
        """The offsets that a connector has committed."""
        return await answer(server.offsets.read(connector))

    @app.patch("/connectors/{connector}/offsets")
    async def alter_offsets(connector: str, request: Request) -> Any:
        """Set offsets of a stopped connector; null resets one."""
        return await answer(server.offsets.alter(connector, offsets_of(await request.body())))

    @app.delete("/connectors/{connector}/offsets")
    async def reset_offsets(connector: str) -> Any:
        """Forget the offsets of a stopped connector."""
        return await answer(server.offsets.reset(connector))


def _add_topics(app: Routes, server: ConnectServer) -> None:
    @app.get("/connectors/{connector}/topics")
    async def get_topics(connector: str) -> Any:
        """The topics that a connector has used since they were last reset."""
        if not server.config["topic.tracking.enable"]:
            raise Forbidden("Topic tracking is disabled.")
        return await answer(server.connectors.topics(connector))

    @app.put("/connectors/{connector}/topics/reset")
    async def reset_topics(connector: str) -> Response:
        """Forget which topics a connector has used."""
        if not server.config["topic.tracking.enable"]:
            raise Forbidden("Topic tracking is disabled.")
        if not server.config["topic.tracking.allow.reset"]:
            raise Forbidden("Topic tracking reset is disabled.")
        await answer(server.connectors.reset_topics(connector))
        return Response(status_code=HTTPStatus.ACCEPTED)


def _add_plugins(app: Routes, server: ConnectServer) -> None:
    @app.get("/connector-plugins")
    async def list_plugins(request: Request) -> Any:
        """The plug-ins that are installed; with `connectorsOnly=false` converters and transformations too."""
        return plugins.listed(connectors_only=request.query_params.get("connectorsOnly", "true").lower() != "false")

    @app.get("/connector-plugins/{plugin}/config")
    async def get_definition(plugin: str) -> Any:
        """The keys that a connector's config may have, or those of a converter, transformation or predicate."""
        if plugins.is_stage(plugin):
            return await answer(server.connectors.definition(plugin))
        config = {"name": plugin, "connector.class": plugins.class_of(plugin)}
        try:
            validation = await answer(server.connectors.validate(config, connect=False))
        except RequestFailed as problem:
            raise NotFound(f"Unknown plugin {plugin}.") from problem
        return [definition for definition, _ in validation.configs]

    @app.put("/connector-plugins/{plugin}/config/validate")
    async def validate(plugin: str, request: Request) -> Any:
        """Check a config, asking the outside system too."""
        config = config_of(parse_object(await request.body()))
        included = config.get("connector.class")
        if included is not None and not plugins.matches(included, plugin):
            raise BadRequest(f"Included connector type {included} does not match request type {plugin}")
        config = await _kept(server, str(config.get("name") or ""), config)
        given = {"connector.class": plugins.class_of(plugin), **config}
        return _validation(await answer(server.connectors.validate(given, connect=True)))


def _validation(validation: Validation) -> dict[str, Any]:
    pairs = [{"definition": definition, "value": value} for definition, value in validation.configs]
    errors = sum(len(value.get("errors", ())) for _, value in validation.configs)
    return {"name": validation.name, "error_count": errors, "groups": list(validation.groups), "configs": pairs}
