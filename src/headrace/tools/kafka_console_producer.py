"""`kafka-console-producer`: send the lines of standard input to a topic (org.apache.kafka.tools.ConsoleProducer)."""

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from headrace.tools import deprecated
from headrace.tools.admin import complain_once
from headrace.tools.clients import check_bootstrap, make, properties_file, settings
from headrace.tools.command import Refusal, Tool, UsageError, key_values, require
from headrace.tools.line_reader import LineReader, Record
from headrace.tools.options import Option, Parsed

# Removed in Kafka 4; what is written about Kafka still has it.
BROKER_LIST = Option("broker-list", argument="required", type="String", hidden=True)
LINE_READER = "LineMessageReader"
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
ACKS = ("all", "-1", "0", "1")
_REPLACED = {
    "property": "reader-property",
    "producer-property": "command-property",
    "producer.config": "command-config",
}
_WARNING = "Warning: --{old} is deprecated and will be removed in a future version. Use --{new} instead."
_BOTH = "Options --{new} and --{old} cannot be specified together."
# Options and the properties that they set: the option where it is given, then the property, then the option's default.
_MERGED = {
    "request-required-acks": "acks",
    "request-timeout-ms": "request.timeout.ms",
    "message-send-max-retries": "retries",
    "retry-backoff-ms": "retry.backoff.ms",
    "socket-buffer-size": "socket.send.buffer.bytes",
    "batch-size": "batch.size",
    "max-partition-memory-bytes": "batch.size",
    "metadata-expiry-ms": "metadata.max.age.ms",
    "max-block-ms": "delivery.timeout.ms",
}
_GREETING = "This tool helps to read data from standard input and publish it to Kafka."
_LINGER_MS = 5
_POLL_S = 0.2


def main(argv: Sequence[str]) -> int:
    """Run `kafka-console-producer` with `argv`; gives the exit status."""
    return Tool("kafka-console-producer", _GREETING, _run, [BROKER_LIST], explains=True).main(argv)


def _run(parsed: Parsed) -> int:
    _check(parsed)
    deprecated.replace(parsed, _REPLACED, _WARNING, _BOTH)
    if parsed.has("max-partition-memory-bytes"):
        print(
            "Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. "
            "Use --batch-size instead."
        )
    reader = LineReader(
        {**properties_file(parsed.value("reader-config")), **key_values(parsed.values("reader-property"))}
    )
    if (parsed.value("line-reader") or "").rpartition(".")[2] != LINE_READER:
        raise Refusal(f"--line-reader {parsed.value('line-reader')}: Java classes cannot be loaded here; leave it out")
    configuration = _configuration(parsed)
    topic = parsed.value("topic") or ""
    sending = _Sending(configuration, topic, synchronous=parsed.has("sync"))
    with sending:
        for number, line in enumerate(_lines(), start=1):
            sending.send(reader.record(line, number))
    return 0


def _check(parsed: Parsed) -> None:
    if parsed.has(BROKER_LIST.name):
        parsed.given.setdefault("bootstrap-server", parsed.given[BROKER_LIST.name])
    require(parsed, "topic")
    servers = parsed.value("bootstrap-server")
    if not servers:
        raise UsageError("Error while validating the bootstrap address\n")
    try:
        check_bootstrap(servers)
    except Refusal as error:
        raise UsageError(f"{error}\n") from None


def _configuration(parsed: Parsed) -> dict[str, Any]:
    given = {**properties_file(parsed.value("command-config")), **key_values(parsed.values("command-property"))}
    given["bootstrap.servers"] = parsed.value("bootstrap-server") or ""
    given["compression.type"] = _codec(parsed)
    given.setdefault("client.id", "console-producer")
    if parsed.has("timeout"):
        given["linger.ms"] = str(parsed.number("timeout"))
    for option, key in _MERGED.items():
        if parsed.has(option) or key not in given:
            given[key] = parsed.value(option) or ""
    _require_one_of("compression.type", given["compression.type"], CODECS)
    _require_one_of("acks", given["acks"], ACKS)
    # Java's producers are idempotent where that is possible, and put a key where Java's hash of it says.
    idempotent = given["acks"] in ("all", "-1") and given["retries"] != "0"
    defaults = {"linger.ms": _LINGER_MS, "enable.idempotence": idempotent, "partitioner": "murmur2_random"}
    return {**defaults, "delivery.report.only.error": True, **settings(given)}


def _codec(parsed: Parsed) -> str:
    return (parsed.value("compression-codec") or "gzip") if parsed.has("compression-codec") else "none"


def _require_one_of(key: str, value: str, values: Sequence[str]) -> None:
    if value not in values:
        raise Refusal(f"Invalid value {value} for configuration {key}: String must be one of: {', '.join(values)}")


def _lines() -> Iterator[str]:
    """The lines of standard input; a terminal sees a prompt before each."""
    prompt = sys.stdin.isatty() and sys.stdout.isatty()
    while True:
        if prompt:
            print(">", end="", flush=True)
        line = sys.stdin.buffer.readline()
        if not line:
            return
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")


class _Sending:
    """Sends records, tells of those that did not arrive, and waits for the last of them when it is left."""

    def __init__(self, configuration: dict[str, Any], topic: str, synchronous: bool) -> None:
        from confluent_kafka import Producer

        self._topic, self._synchronous = topic, synchronous
        self._errors: list[str] = []
        self._over = threading.Event()
        self._producer: Any = make(
            Producer, {**configuration, "error_cb": complain_once(), "on_delivery": self._failed}
        )
        # Somebody may think for minutes before the next line: what went wrong with the last one is told meanwhile.
        self._polling = threading.Thread(target=self._poll, name="deliveries", daemon=True)

    def __enter__(self) -> None:
        self._polling.start()

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            self._producer.flush()
        self._over.set()
        self._polling.join()

    def send(self, record: Record) -> None:
        """Hand `record` to the client; raises Refusal where it is to arrive first and does not."""
        while True:
            try:
                self._producer.produce(self._topic, record.value, record.key, headers=record.headers)
                break
            except BufferError:
                self._producer.poll(_POLL_S)
        if self._synchronous:
            self._producer.flush()
            if self._errors:
                raise Refusal(self._errors[0])

    def _poll(self) -> None:
        while not self._over.is_set():
            self._producer.poll(_POLL_S)

    def _failed(self, error: Any, message: Any) -> None:
        if error is None:
            return
        key, value = (f"{len(part)} bytes" if part is not None else "null" for part in (message.key(), message.value()))
        self._errors.append(f"{error.str().removeprefix('Broker: ')} (topic {self._topic})")
        if not self._synchronous:
            print(
                f"ERROR Error when sending message to topic {self._topic} with key: {key}, value: {value} with error: "
                f"{error.str().removeprefix('Broker: ')}",
                file=sys.stderr,
            )
