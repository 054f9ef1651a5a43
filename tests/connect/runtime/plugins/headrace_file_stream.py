"""Lines of a file to a topic and back, as Apache Kafka's FileStream connectors do it: the plug-ins of these tests.

Besides, they misbehave where a config asks for it: `crash=true` ends the process, `fail=TEXT` raises, `hang=true` waits
for ever, in the task, and makes the file `hang.file` when it begins to.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from headrace.connect.api import (
    NO_DEFAULT,
    Batch,
    ConfigDef,
    ConnectError,
    Converted,
    Converter,
    DataError,
    Predicate,
    Record,
    RetriableError,
    SchemaType,
    SinkConnector,
    SinkTask,
    SourceConnector,
    SourceOrigin,
    SourceTask,
    Transformation,
    Type,
    schema,
)

STRING = schema(SchemaType.STRING)


def _misbehave(properties: Mapping[str, str]) -> None:
    if properties.get("fail"):
        raise ConnectError(properties["fail"])
    if properties.get("crash") == "true":
        os.kill(os.getpid(), 9)
    if properties.get("hang.file"):
        Path(properties["hang.file"]).touch()
    while properties.get("hang") == "true":
        time.sleep(0.05)


class FileStreamSourceConnector(SourceConnector):
    version = "1.0"

    @classmethod
    def config_def(cls) -> ConfigDef:
        return (
            ConfigDef()
            .define("file", Type.STRING, NO_DEFAULT, "The file to read.", group="File")
            .define("topic", Type.STRING, NO_DEFAULT, "The topic to write to.", group="File")
            .define("batch.size", Type.INT, 2000, "The most lines of one batch.", group="File")
        )

    @classmethod
    def task_class(cls) -> type[SourceTask]:
        return FileStreamSourceTask

    def start(self, context: Any, properties: Mapping[str, str]) -> None:
        self.context, self.properties = context, properties
        self.config_def().parse(properties)
        _misbehave({"fail": properties.get("connector.fail", "")})

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [dict(self.properties)] * int(self.properties.get("task.count", 1))

    def stop(self) -> None:
        pass


class FileStreamSourceTask(SourceTask):
    """Offsets are `{"position": n}` after n bytes, of the partition `{"filename": file}`."""

    def start(self, context: Any, properties: Mapping[str, str]) -> None:
        self.context, self.properties = context, properties
        self.partition = {"filename": properties["file"]}
        self.position = (context.offset(self.partition) or {"position": 0})["position"]
        self.size = int(properties.get("batch.size", 2000))
        if properties.get("fail.start"):
            raise ConnectError(properties["fail.start"])

    def poll(self) -> Sequence[Batch]:
        _misbehave(self.properties)
        with Path(self.properties["file"]).open("rb") as lines:
            lines.seek(self.position)
            found, offsets = [], []
            for line in lines:
                if not line.endswith(b"\n") or len(found) == self.size:
                    break
                self.position += len(line)
                found.append(line[:-1].decode())
                offsets.append({"position": self.position})
        if not found:
            self.context.wait(0.05)
            return []
        origin = SourceOrigin(self.partition, offsets)
        return [Batch(self.properties["topic"], len(found), None, None, STRING, pa.array(found), origin=origin)]

    def stop(self) -> None:
        pass


class FileStreamSinkConnector(SinkConnector):
    version = "1.0"

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef().define("file", Type.STRING, NO_DEFAULT, "The file to write.", group="File")

    @classmethod
    def task_class(cls) -> type[SinkTask]:
        return FileStreamSinkTask

    def start(self, context: Any, properties: Mapping[str, str]) -> None:
        self.properties = properties

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [dict(self.properties)] * max_tasks

    def stop(self) -> None:
        pass


class FileStreamSinkTask(SinkTask):
    """Appends each value as a line. A value `bad...` is a DataError; while `FILE.down` exists, it retries.

    With `report=true` bad values are reported and the others written; `report=swallow` passes over what that raises.
    """

    def start(self, context: Any, properties: Mapping[str, str]) -> None:
        self.context, self.properties, self.path = context, properties, Path(properties["file"])
        self.down = Path(properties["file"] + ".down")

    def put(self, batches: Sequence[Batch]) -> None:
        _misbehave(self.properties)
        if self.down.exists():
            Path(self.properties["file"] + ".tried").touch()
            raise RetriableError(f"{self.down} exists")
        if self.properties.get("report"):
            batches = [part for batch in batches for part in self._reported(batch)]
        lines = [record.value for batch in batches for record in batch.records()]
        bad = [line for line in lines if isinstance(line, str) and line.startswith("bad")]
        if bad:
            raise DataError(f"line {bad[0]!r} is bad")
        with self.path.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def _reported(self, batch: Batch) -> Sequence[Batch]:
        bad = [str(record.value).startswith("bad") for record in batch.records()]
        for row in range(len(batch)):
            if bad[row]:
                try:
                    self.context.errant_record_reporter.report(batch, row, DataError(f"row {row} is bad"))
                except ConnectError:
                    if self.properties["report"] != "swallow":
                        raise
        return [batch.filter(pa.array([not each for each in bad]))]

    def stop(self) -> None:
        pass


class LineConverter(Converter):
    """Text in UTF-8; a payload that is no UTF-8, and a value that begins with `unfit`, are DataErrors.

    While the file that `down` names exists, a text that begins with `later` is a RetriableError.
    """

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef()

    def configure(self, properties: Mapping[str, Any], *, is_key: bool) -> None:
        self.down = Path(properties.get("down", "/nowhere"))

    def _wait_for_it(self, values: Sequence[str | None]) -> None:
        if self.down.exists() and any(value and value.startswith("later") for value in values):
            self.down.with_suffix(".tried").touch()
            raise RetriableError(f"{self.down} exists")

    def from_connect(self, topic: str, schema: Any, column: Any, tombstone: Any, length: int) -> list[bytes | None]:
        values = [None] * length if column is None else column if isinstance(column, list) else column.to_pylist()
        self._wait_for_it(values)
        if any(value and value.startswith("unfit") for value in values):
            raise DataError("a value does not fit")
        return [None if value is None else value.encode() for value in values]

    def to_connect(self, topic: str, payloads: Sequence[bytes | None]) -> list[Converted]:
        try:
            values = [None if payload is None else payload.decode() for payload in payloads]
        except UnicodeDecodeError as error:
            raise DataError("a payload is not UTF-8") from error
        self._wait_for_it(values)
        gone = [value is None for value in values]
        return [Converted(0, len(values), STRING, pa.array(values, pa.string()), pa.array(gone) if any(gone) else None)]


class Route(Transformation):
    """Drops values that begin with `drop`; `key:value` gets its key; `@n value` goes to partition n."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef()

    def configure(self, properties: Mapping[str, Any]) -> None:
        pass

    def apply(self, record: Record) -> Record | None:
        value = record.value
        if value.startswith("drop"):
            return None
        if value.startswith("@"):
            number, _, rest = value[1:].partition(" ")
            return replace(record, partition=int(number), value=rest)
        if ":" in value:
            key, _, rest = value.partition(":")
            return replace(record, key_schema=STRING, key=key, value=rest)
        return record


class Begins(Predicate):
    """Values that begin with `with`."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef().define("with", Type.STRING, NO_DEFAULT, "The beginning.")

    def configure(self, properties: Mapping[str, Any]) -> None:
        self._beginning = self.config_def().parse(properties)["with"]

    def test(self, record: Record) -> bool:
        return bool(record.value.startswith(self._beginning))
