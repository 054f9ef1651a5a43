"""What a format with a registry saves: the topic's own messages against the same rows in JSON with its schema.

Imported at the end of a run: it brings columns with it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from headrace.connect.api import Converted, Converter
from headrace.connect.converters.json import JsonConverter
from headrace.connect.records.compression import CODECS, compress
from headrace.connect.runtime.host.plugins import converter_class
from headrace.demo.connectors import TOPIC
from headrace.demo.formats import Format

SAMPLE: Final = 10_000
ROUNDS: Final = 5
READ_S: Final = 10.0
CONSUME_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """A format's price for the sampled rows: bytes a message, plain and in a batch of lz4, and rows/s of one core."""

    bytes_each: float
    compressed_each: float
    written: float
    read: float


@dataclass(frozen=True, slots=True)
class Savings:
    """The format beside JSON, measured on the same rows in the same process."""

    format: Format
    rows: int
    own: Cost
    json: Cost

    def lines(self) -> list[str]:
        """What the demo says."""
        saved = 100 * (1 - self.own.bytes_each / self.json.bytes_each)
        size = (
            f"{self.format}: {self.own.bytes_each:.0f} bytes a message, in JSON with its schema "
            f"{self.json.bytes_each:.0f} ({saved:.0f} % saved; {self.rows} messages of the topic); "
            f"compressed by lz4, as the source writes them, "
            f"{self.own.compressed_each:.0f} and {self.json.compressed_each:.0f}"
        )
        speed = (
            f"{self.format}: one core writes {self.own.written:,.0f} rows/s and reads {self.own.read:,.0f}, in JSON "
            f"{self.json.written:,.0f} and {self.json.read:,.0f} (the converters alone, the same rows)"
        )
        return [size, speed]


def savings(bootstrap: str, format: Format, registry_url: str) -> Savings | None:
    """Measured on the first messages of the demo's topic; None where there are none, or for JSON itself."""
    payloads = sample(bootstrap) if format.converter else []
    if not payloads:
        return None
    own = converter_class(format.converter or "", "value.converter")()
    own.configure({"schema.registry.url": registry_url}, is_key=False)
    json = JsonConverter()
    json.configure({}, is_key=False)
    return compare(format, own, json, payloads)


def compare(format: Format, own: Converter, json: Converter, payloads: Sequence[bytes]) -> Savings:
    """Both converters on the rows of these messages, repeated to SAMPLE where there are fewer."""
    repeated = (list(payloads) * (SAMPLE // len(payloads) + 1))[:SAMPLE]
    runs = own.to_connect(TOPIC, repeated)
    return Savings(format, min(len(payloads), SAMPLE), _cost(own, runs), _cost(json, runs))


def sample(bootstrap: str, topic: str = TOPIC) -> list[bytes]:
    """The values of the first messages of the topic, SAMPLE at most."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "headrace-demo-savings",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
            "log_level": 0,
        }
    )
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=READ_S)
        wanted = min(SAMPLE, high - low)
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        found: list[bytes] = []
        end = time.monotonic() + READ_S
        while len(found) < wanted and time.monotonic() < end:
            messages = consumer.consume(wanted - len(found), CONSUME_S)
            found += [message.value() for message in messages if not message.error() and message.value() is not None]
        return found
    finally:
        consumer.close()


def _cost(converter: Converter, runs: Sequence[Converted]) -> Cost:
    def write() -> list[Any]:
        return [converter.from_connect_column(TOPIC, run.schema, run.column, None, run.length) for run in runs]

    columns = write()
    payloads = [column.cast("binary") for column in columns]
    rows = sum(map(len, payloads))
    plain = b"".join(payload for column in payloads for payload in column.to_pylist())
    return Cost(
        len(plain) / rows,
        len(compress(CODECS["lz4"], plain)) / rows,
        _rate(rows, write),
        _rate(rows, lambda: [converter.to_connect_column(TOPIC, each) for each in payloads]),
    )


def _rate(rows: int, work: Callable[[], Any]) -> float:
    """Rows a second of this process's CPU time, the best of ROUNDS."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return rows / max(best, 1e-9)
