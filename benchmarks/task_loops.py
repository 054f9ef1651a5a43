"""Source and sink task loops without a database: iris rows -> JsonConverter with schemas -> broker, and back.

The limits are confluent-kafka alone with the same payloads on the same broker, in the same run:
`python -m benchmarks.task_loops [ROWS]`. Ends with one JSON object on a line.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from headrace.connect.api import Batch, SchemaType, SinkTask, SourceOrigin, SourceTask, schema, struct
from headrace.connect.api.schema import timestamp
from headrace.connect.runtime.host.column_producer import ColumnProducer
from headrace.connect.runtime.host.consumer import DEFAULTS as CONSUMER
from headrace.connect.runtime.host.consumer import OURS
from headrace.connect.runtime.host.contexts import SinkContext, SourceContext
from headrace.connect.runtime.host.producers import DEFAULTS, GUARANTEES, KafkaProducer
from headrace.connect.runtime.host.sink_errors import SinkErrors
from headrace.connect.runtime.host.sink_task import SinkTaskLoop
from headrace.connect.runtime.host.source_offsets import OffsetsTopic
from headrace.connect.runtime.host.source_task import OffsetCommits, SourceTaskLoop
from headrace.connect.runtime.host.stages import make_stages
from headrace.connect.runtime.messages import TaskId
from headrace.kafka_client.settings import translate

ROWS_A_BATCH = 10_000
FLOAT = schema(SchemaType.FLOAT64, optional=True)
IRIS = struct(
    [
        ("id", schema(SchemaType.INT32)),
        ("timestamp", timestamp(optional=True)),
        *((name, FLOAT) for name in ("sepal_length", "sepal_width", "petal_length", "petal_width")),
        ("target", schema(SchemaType.INT32, optional=True)),
    ],
    name="iris_data",
)


class Environment:
    """A host's part for one task."""

    worker_properties: Mapping[str, str] = {"key.converter": "json", "value.converter": "json"}

    def committed_offset(self, connector: str, partition: Mapping[str, Any], stopping: threading.Event) -> None:
        return None

    def topic_used(self, connector: str, topic: str) -> None:
        return


class Offsets(Sequence[Mapping[str, int]]):
    """`{"incrementing": n}` for each row, made when asked."""

    def __init__(self, first: int, length: int) -> None:
        self._first, self._length = first, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row: Any) -> Any:
        return {"incrementing": self._first + row}


class Generator(SourceTask):
    """Gives iris rows as fast as they are asked for."""

    def __init__(self, topic: str, rows: int) -> None:
        self.topic, self.left, self.given = topic, rows, 0

    def start(self, context: Any, properties: Mapping[str, str]) -> None:
        numbers = list(range(ROWS_A_BATCH))
        floats = pa.array([(number % 70 + 10) / 10 for number in numbers])
        self.columns = [pa.array([1_700_000_000_000 + n for n in numbers], pa.timestamp("ms", "UTC")), *[floats] * 4]
        self.target = pa.array([number % 3 for number in numbers], pa.int32())

    def poll(self) -> Sequence[Batch]:
        if not self.left:
            return []
        ids = pa.array(range(self.given, self.given + ROWS_A_BATCH), pa.int32())
        column = pa.StructArray.from_arrays([ids, *self.columns, self.target], [field.name for field in IRIS.fields])
        origin = SourceOrigin({"table": "iris_data"}, Offsets(self.given, ROWS_A_BATCH))
        self.given += ROWS_A_BATCH
        self.left -= ROWS_A_BATCH
        return [Batch(self.topic, ROWS_A_BATCH, None, None, IRIS, column, origin=origin)]

    def stop(self) -> None:
        return


class Counter(SinkTask):
    """Counts rows."""

    rows = 0

    def start(self, context: Any, properties: Mapping[str, str]) -> None:
        return

    def put(self, batches: Sequence[Batch]) -> None:
        self.rows += sum(map(len, batches))

    def stop(self) -> None:
        return


@contextmanager
def broker() -> Iterator[str]:
    """Our broker on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bootstrap = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as directory:
        command = [str(Path(sys.executable).parent / "headrace"), "broker", "--data-dir", directory]
        process = subprocess.Popen([*command, "--listener", f"PLAINTEXT://{bootstrap}"], stderr=subprocess.DEVNULL)
        try:
            yield bootstrap
        finally:
            process.terminate()
            process.wait(15)


def _new_topic(bootstrap: str) -> str:
    name = f"bench-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})  # waits for the broker to be there
    admin.create_topics([NewTopic(name, 1, 1)], request_timeout=30)[name].result(40)
    return name


def _rate(rows: int, work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return rows / (time.perf_counter() - began)


def source(bootstrap: str, rows: int) -> tuple[float, str]:
    """Rows a second of the source loop, all of them acknowledged; the topic that has them."""
    topic, offsets = _new_topic(bootstrap), _new_topic(bootstrap)
    environment = Environment()
    producer = ColumnProducer({"bootstrap.servers": bootstrap})
    offsets_producer = KafkaProducer({"bootstrap.servers": bootstrap})
    commits = OffsetCommits("bench", OffsetsTopic(offsets_producer, offsets), 60, time.monotonic)
    task = Generator(topic, rows)
    stages = make_stages(environment.worker_properties, {})
    context = SourceContext(TaskId("bench", 0), environment)
    loop = SourceTaskLoop(task, context, {}, stages, producer, commits)
    loop.start({})

    def work() -> None:
        while task.left:
            loop.iteration()
        loop.finish(failed=False, deadline=time.monotonic() + 60)

    rate = _rate(rows, work)
    producer.close()
    offsets_producer.close()
    return rate, topic


def source_limit(bootstrap: str, rows: int, payloads: Sequence[bytes]) -> float:
    """Rows a second of `produce_batch` alone."""
    topic = _new_topic(bootstrap)
    producer = Producer({**DEFAULTS, **GUARANTEES, "bootstrap.servers": bootstrap, "log_level": 0})

    def work() -> None:
        for _ in range(rows // ROWS_A_BATCH):
            messages: list[dict[str, Any]] = [{"value": payload} for payload in payloads]
            while producer.produce_batch(topic, messages, partition=0) < len(messages):
                messages = [message for message in messages if message.pop("_error", None) is not None]
                producer.poll(0.01)
        producer.flush()

    return _rate(rows, work)


def sink(bootstrap: str, topic: str, rows: int) -> float:
    """Rows a second of the sink loop into a task that counts them."""
    environment, task = Environment(), Counter()
    stages = make_stages(environment.worker_properties, {})
    context = SinkContext(TaskId(f"bench-{uuid.uuid4().hex}", 0), environment)
    settings = {"bootstrap.servers": bootstrap}
    properties = {"topics": topic}
    errors = SinkErrors(TaskId(context.connector, 0), properties, stages, None)
    loop = SinkTaskLoop(task, context, properties, stages, errors, settings)
    loop.start({})
    while not task.rows:
        loop.iteration()
    first = task.rows

    def work() -> None:
        while task.rows < rows:
            loop.iteration()

    rate = _rate(rows - first, work)
    loop.finish(failed=False, deadline=time.monotonic() + 10)
    return rate


def sink_limit(bootstrap: str, topic: str, rows: int) -> tuple[float, list[bytes]]:
    """Rows a second of `consume` and `value()` alone; the first payloads."""
    settings = {**CONSUMER, **translate("consumer", {"bootstrap.servers": bootstrap}), **OURS}
    consumer = Consumer({**settings, "group.id": f"bench-{uuid.uuid4().hex}", "log_level": 0})
    consumer.subscribe([topic])
    kept: list[bytes] = []
    while not kept:
        kept = [message.value() for message in consumer.consume(ROWS_A_BATCH, 0.5)]
    seen = first = len(kept)

    def work() -> None:
        nonlocal seen
        while seen < rows:
            seen += len([message.value() for message in consumer.consume(ROWS_A_BATCH, 0.05)])

    rate = _rate(rows - first, work)
    consumer.close()
    return rate, kept


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with broker() as bootstrap:
        source_rate, topic = source(bootstrap, rows)
        limit, payloads = sink_limit(bootstrap, topic, rows)
        sink_rate = sink(bootstrap, topic, rows)
        produced = source_limit(bootstrap, rows, (payloads * ROWS_A_BATCH)[:ROWS_A_BATCH])
    print(f"source loop {source_rate:,.0f} rows/s of {produced:,.0f} by produce_batch alone")
    print(f"sink loop {sink_rate:,.0f} rows/s of {limit:,.0f} by consume alone; payload {len(payloads[0])} bytes")
    print(json.dumps({"source": round(source_rate / produced, 3), "sink": round(sink_rate / limit, 3), "rows": rows}))


if __name__ == "__main__":
    main()
