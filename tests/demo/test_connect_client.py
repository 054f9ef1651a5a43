"""What the demo's REST client makes of a worker that answers late, twice or not at all."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from headrace.demo.connectors import ConnectClient, DemoFailed

CONNECTOR = {"name": "c", "config": {"tasks.max": 2, "auto.create": False, "topics": "t"}}
KEPT = {"tasks.max": "2", "auto.create": "false", "topics": "t", "name": "c"}
EXISTS = (409, {"error_code": 409, "message": "Connector c already exists"})


@contextmanager
def worker(*answers: tuple[int, Any], config: dict[str, str] | None = None) -> Iterator[ConnectClient]:
    """A worker that gives these answers to POST, in order (status 0: it hangs up), and `config` once it was asked."""
    left, posted = list(answers), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            posted.set()
            self.give(*left.pop(0))

        def do_GET(self) -> None:
            known = config is not None and posted.is_set()
            self.give(200 if known else 404, config if known else {"message": "Connector c not found"})

        def give(self, status: int, body: Any) -> None:
            if status:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield ConnectClient("127.0.0.1", server.server_port)
        assert not left
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_connector_that_was_created_without_an_answer_is_not_posted_again() -> None:
    with worker((0, None), config=KEPT) as client:
        client.post(CONNECTOR)


def test_a_connector_that_exists_as_it_was_posted_is_created() -> None:
    with worker(EXISTS, config=KEPT) as client:
        client.post(CONNECTOR)


def test_a_worker_that_is_rebalancing_is_asked_again() -> None:
    with worker((409, {"message": "rebalance"}), (0, None), (201, {})) as client:
        client.post(CONNECTOR)


def test_what_the_worker_refuses_is_said_in_its_words() -> None:
    said = pytest.raises(DemoFailed, match="refused the connector c: Missing required configuration")
    with worker((400, {"message": "Missing required configuration"})) as client, said:
        client.post(CONNECTOR)


def test_another_connector_of_that_name_is_not_waited_for() -> None:
    said = pytest.raises(DemoFailed, match="Connector c already exists")
    with worker(EXISTS, config={**KEPT, "topics": "another"}) as client, said:
        client.post(CONNECTOR)
