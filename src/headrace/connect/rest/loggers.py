"""`/admin/loggers`: reading and setting the levels of loggers, here or on every worker of the cluster (KIP-976)."""

import asyncio
import logging
import time
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from headrace.connect.rest.body import parse_object
from headrace.connect.runtime.errors import BadRequest, NotFound
from headrace.connect.runtime.herder import logger_level, set_logger_level
from headrace.connect.runtime.server import ConnectServer
from headrace.http.routes import Routes

ROOT: Final = "root"
_NAMES: Final = {logging.WARNING: "WARN", logging.CRITICAL: "FATAL"}
_modified: dict[str, int] = {}


def _level(logger: logging.Logger) -> dict[str, Any]:
    number = logger.getEffectiveLevel()
    name = ROOT if logger is logging.getLogger() else logger.name
    return {"level": _NAMES.get(number, logging.getLevelName(number)), "last_modified": _modified.get(name)}


def _set_loggers() -> dict[str, logging.Logger]:
    """Root and every logger whose level was set."""
    known = logging.getLogger().manager.loggerDict
    named = {name: each for name, each in known.items() if isinstance(each, logging.Logger) and each.level}
    return {ROOT: logging.getLogger(), **dict(sorted(named.items()))}


def add(app: Routes, server: ConnectServer) -> None:
    @app.get("/admin/loggers")
    async def list_loggers() -> Any:
        """The loggers whose level was set."""
        return {name: _level(logger) for name, logger in _set_loggers().items()}

    @app.get("/admin/loggers/{logger}")
    async def get_logger(logger: str) -> Any:
        """The level of one logger."""
        known = logging.getLogger().manager.loggerDict
        if logger != ROOT and logger not in known:
            raise NotFound(f"Logger {logger} not found.")
        return _level(logging.getLogger(None if logger == ROOT else logger))

    @app.put("/admin/loggers/{logger}")
    async def set_logger(logger: str, request: Request) -> Any:
        """Set a level; with `scope=cluster` on every worker."""
        level = parse_object(await request.body()).get("level")
        if level is None:
            raise BadRequest("Desired 'level' parameter was not specified in request.")
        if logger_level(str(level)) is None:
            raise NotFound(f"invalid log level '{level}'.")
        if request.query_params.get("scope", "worker").lower() == "cluster":
            await asyncio.wrap_future(server.connectors.set_logger_level(logger, str(level).upper()))
            return Response(status_code=HTTPStatus.NO_CONTENT)
        set_logger_level(logger, str(level))
        _modified[logger] = time.time_ns() // 1_000_000
        return [logger]
