"""What Java's Connect wrote and answered: see README.md beside this file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent


class Recorded(NamedTuple):
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None


def records(topic: str, until_ms: int | None = None) -> Iterator[Recorded]:
    """The records of one topic, partition after partition, in order; those up to a time where it is given."""
    for line in (_HERE / "topics.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["topic"] == topic and (until_ms is None or row["timestamp"] <= until_ms):
            value = None if row["value"] is None else row["value"].encode()
            yield Recorded(topic, row["partition"], row["offset"], row["key"].encode(), value)


def group() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_HERE / "group.json").read_text())
    return content


def rest() -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((_HERE / "rest.json").read_text())
    return content


def rest_answer(method: str, path: str) -> Any:
    """The last answer that was recorded for a request."""
    return [call["response"] for call in rest() if (call["method"], call["path"]) == (method, path)][-1]
