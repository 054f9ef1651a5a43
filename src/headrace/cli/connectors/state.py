"""What a connector's status means to a person. Sans-IO."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'`(])")
_JAVA_CLASS: Final = re.compile(r"(?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error): ")


def cause(trace: str) -> str:
    """The line of a trace that says what is wrong and what to do: the innermost cause of Java's, the first of ours.

    >>> cause("The password of u is wrong. Set connection.password\\nTraceback ...")
    'The password of u is wrong. Set connection.password'
    >>> cause("a.b.AnException: failed\\n\\tat a.b(C.java:1)\\nCaused by: java.sql.SQLException: no table t\\n\\tat x")
    'no table t'
    >>> cause("The record at 7 failed in VALUE_CONVERTER: no JSON\\n\\tat x\\nCaused by: DataError: no JSON")
    'The record at 7 failed in VALUE_CONVERTER: no JSON'
    """
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    first = next(iter(lines), "")
    if not _JAVA_CLASS.match(first):
        return first
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return _JAVA_CLASS.sub("", causes[-1] if causes else first, count=1)


def first_sentence(text: str) -> str:
    """The first sentence of a cause, without its stop.

    >>> first_sentence("Table a.b is not there. Create it")
    'Table a.b is not there'
    """
    return _SENTENCE_END.split(text, maxsplit=1)[0].rstrip(".")


@dataclass(frozen=True, slots=True)
class Task:
    id: int
    state: str
    worker: str
    error: str


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """A connector as it is shown; `error` is its own or that of its first failed task, empty where nothing failed."""

    name: str
    type: str
    state: str
    worker: str
    tasks: tuple[Task, ...]
    class_name: str = ""
    own_error: str = ""

    @property
    def error(self) -> str:
        return self.own_error or next((task.error for task in self.tasks if task.state == "FAILED"), "")

    @property
    def failed(self) -> bool:
        return "FAILED" in (self.state, *(task.state for task in self.tasks))

    @property
    def summary(self) -> str:
        """The states of the tasks: `2 running`, or `1 failed, 1 running`."""
        states = Counter(task.state.lower() for task in self.tasks)
        return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"

    def settled(self, target: str) -> bool:
        """Whether connector and tasks are as wanted: `target` is RUNNING, PAUSED or STOPPED. Failed is settled too."""
        if self.failed:
            return True
        return self.state == target and all(task.state == target for task in self.tasks)


def view(status: Mapping[str, Any], config: Mapping[str, str] | None = None) -> ConnectorView:
    """Of a connector's status as REST gives it."""
    own = status["connector"]
    tasks = tuple(
        Task(task["id"], task["state"], task["worker_id"], cause(task.get("trace", ""))) for task in status["tasks"]
    )
    class_name = (config or {}).get("connector.class", "")
    own_error = cause(own.get("trace", "")) if own["state"] == "FAILED" else ""
    return ConnectorView(status["name"], status["type"], own["state"], own["worker_id"], tasks, class_name, own_error)


def as_json(connector: ConnectorView) -> dict[str, Any]:
    """What `--json` prints of a connector."""
    return {
        "name": connector.name,
        "type": connector.type,
        "class": connector.class_name,
        "state": connector.state,
        "worker_id": connector.worker,
        "error": connector.error,
        "tasks": [
            {"id": task.id, "state": task.state, "worker_id": task.worker, "error": task.error}
            for task in connector.tasks
        ],
    }
