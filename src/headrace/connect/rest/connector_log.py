"""`/headrace/connectors/NAME/log`: what this worker has logged about a connector. Not a path of Kafka Connect's."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from headrace.connect.runtime.connector_log import LINES
from headrace.connect.runtime.errors import BadRequest, NotFound
from headrace.connect.runtime.server import ConnectServer
from headrace.http.routes import Routes


def add(app: Routes, server: ConnectServer) -> None:
    @app.get("/headrace/connectors/{connector}/log")
    async def get_log(connector: str, request: Request) -> Any:
        """The last lines about a connector, the newest last; `lines` says how many."""
        wanted = request.query_params.get("lines", str(LINES))
        if not wanted.isdigit() or int(wanted) < 1:
            raise BadRequest(f"lines={wanted}: write a number from 1")
        lines = server.logs.of(connector)
        if not lines and connector not in server.herder.stores.config.connectors:
            raise NotFound(f"Connector {connector} not found")
        shown = [{key: value for key, value in asdict(line).items() if key != "connector"} for line in lines]
        return {"connector": connector, "worker_id": server.worker_id, "lines": shown[-int(wanted) :]}
