"""Answers: JSON under the content type that the client asks for, errors as `{error_code, message}`."""

import logging
from http import HTTPStatus
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from headrace.registry.errors import RegistryError

log = logging.getLogger(__name__)

V1: Final = "application/vnd.schemaregistry.v1+json"
TYPES: Final = (V1, "application/vnd.schemaregistry+json", "application/json")


def content_type(accept: str) -> str:
    """The type of the answer: the first of ours that is asked for. A client that asks for none gets it all the same.

    >>> content_type("text/html, application/json;q=0.9")
    'application/json'
    >>> content_type("*/*")
    'application/vnd.schemaregistry.v1+json'
    """
    asked = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return next((each for each in asked if each in TYPES), V1)


def answered(request: Request, value: Any, status: int = HTTPStatus.OK) -> Response:
    return JSONResponse(value, status, media_type=content_type(request.headers.get("accept", "")))


def raw(request: Request, text: str) -> Response:
    """A schema's own text."""
    return Response(text, media_type=content_type(request.headers.get("accept", "")))


def _error(request: Request, status: int, code: int, message: str) -> Response:
    return answered(request, {"error_code": code, "message": message}, status)


async def _refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RegistryError)
    return _error(request, problem.status, problem.code, str(problem))


async def _no_route(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    status = problem.status_code
    return _error(request, status, status, f"HTTP {status} {HTTPStatus(status).phrase}")


async def _unexpected(request: Request, problem: Exception) -> Response:
    log.error("A request failed", exc_info=problem)
    return _error(request, 500, 500, f"{type(problem).__name__}: {problem}")


ERRORS: Final = {RegistryError: _refused, HTTPException: _no_route, Exception: _unexpected}
