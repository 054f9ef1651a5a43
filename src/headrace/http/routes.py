"""Routes: endpoints declared as FastAPI's decorators take them, and served by Starlette, which FastAPI stands on.

FastAPI and pydantic take a worker 0.3 s of CPU to import and to look at every endpoint, and no endpoint here has it
parse anything. So FastAPI is imported when somebody asks for its documentation: `/docs`, `/redoc`, `/openapi.json`.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[..., Awaitable[Any]]
"""Takes the parameters of its path by name, and `request` where it has one; gives a response, or what JSON shows."""
_DOCUMENTATION: Final = ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json")


@dataclass(frozen=True, slots=True)
class _Operation:
    method: str
    path: str
    endpoint: Endpoint
    name: str


@dataclass(slots=True)
class Routes:
    """What an interface answers; `application` makes it one."""

    title: str
    version: str
    _operations: list[_Operation] = field(default_factory=list)

    def get(self, path: str) -> Callable[[Endpoint], Endpoint]:
        return self.route("GET", path)

    def put(self, path: str, name: str = "") -> Callable[[Endpoint], Endpoint]:
        return self.route("PUT", path, name)

    def post(self, path: str) -> Callable[[Endpoint], Endpoint]:
        return self.route("POST", path)

    def patch(self, path: str) -> Callable[[Endpoint], Endpoint]:
        return self.route("PATCH", path)

    def delete(self, path: str) -> Callable[[Endpoint], Endpoint]:
        return self.route("DELETE", path)

    def route(self, method: str, path: str, name: str = "") -> Callable[[Endpoint], Endpoint]:
        """Declare an endpoint; its docstring is its summary in the documentation."""

        def note(endpoint: Endpoint) -> Endpoint:
            shown = name or getattr(endpoint, "__name__", path)
            self._operations.append(_Operation(method, path, endpoint, shown))
            return endpoint

        return note

    def application(self, errors: Mapping[Any, Any]) -> Starlette:
        """The interface; `errors` are Starlette's handlers by the exception that they answer."""
        routes = [Route(each.path, _answered(each.endpoint), methods=[each.method]) for each in self._operations]
        documentation = _Documentation(self)
        routes += [Route(path, documentation) for path in _DOCUMENTATION]
        made = Starlette(routes=routes, exception_handlers=errors)
        made.router.redirect_slashes = False
        return made

    def documented(self) -> ASGIApp:
        """The same interface as FastAPI's, for its documentation."""
        from fastapi import FastAPI

        app = FastAPI(title=self.title, version=self.version, redirect_slashes=False)
        for each in self._operations:
            app.add_api_route(each.path, each.endpoint, methods=[each.method], name=each.name)
        return app


def _answered(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    takes_request = "request" in inspect.signature(endpoint).parameters

    async def answered(request: Request) -> Response:
        given = {**request.path_params, "request": request} if takes_request else request.path_params
        result = await endpoint(**given)
        return result if isinstance(result, Response) else JSONResponse(result)

    return answered


class _Documentation:
    """FastAPI's own pages, made at the first look."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            self._app = await asyncio.to_thread(self._routes.documented)
        await self._app(scope, receive, send)
