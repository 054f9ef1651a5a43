"""Runs our tools: in this process, with the streams in memory, or as the command that people type."""

import contextlib
import importlib
import io
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from unittest import mock

from confluent_kafka import Consumer

from headrace.tools import module_of
from tests.tools.java import CommandLine, Ran


class _Stream(io.TextIOWrapper):
    """A text stream in memory with a `buffer`, as the standard streams have."""

    def __init__(self, text: str = "") -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8", newline="", write_through=True)

    def text(self) -> str:
        raw = self.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.getvalue().decode()


def run(command: CommandLine) -> Ran:
    """Run `command` in this process."""
    out, err = _Stream(), _Stream()
    main = importlib.import_module(module_of(command.tool)).main
    with (
        mock.patch.object(sys, "stdin", _Stream(command.stdin)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = main(list(command.arguments))
    return Ran(status, out.text(), err.text())


def tool(name: str, *arguments: str, stdin: str = "") -> Ran:
    """Run `name` with `arguments` in this process."""
    return run(CommandLine(name, arguments, stdin))


def words(text: Sequence[str] | str, bootstrap: str) -> list[str]:
    """The words of a command line, `$B` standing for the option that names the broker."""
    parts = text.split() if isinstance(text, str) else list(text)
    return [word for part in parts for word in (["--bootstrap-server", bootstrap] if part == "$B" else [part])]


@contextlib.contextmanager
def member(bootstrap: str, group: str, topic: str, deadline_s: float = 30) -> Iterator[None]:
    """A consumer of `topic` that is in `group`, with its partitions."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "client.id": "live"})
    assigned, over = threading.Event(), threading.Event()
    consumer.subscribe([topic], on_assign=lambda *_: assigned.set())

    def poll() -> None:
        end = time.monotonic() + 120
        while not over.is_set() and time.monotonic() < end:
            consumer.poll(0.1)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        assert assigned.wait(deadline_s), f"{group} was not given {topic}"
        yield
    finally:
        over.set()
        thread.join()
        consumer.close()
