"""`kafka-console-consumer`: print the messages of topics (org.apache.kafka.tools.consumer.ConsoleConsumer)."""

import random
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from headrace.tools import deprecated
from headrace.tools.admin import complain_once
from headrace.tools.clients import make, properties_file, settings
from headrace.tools.command import Refusal, Tool, UsageError, key_values, require
from headrace.tools.message_formatter import Message, MessageFormatter
from headrace.tools.options import Option, OptionError, Parsed
from headrace.tools.topic_names import INTERNAL

# What --include was called until Kafka 4.
WHITELIST = Option("whitelist", argument="required", type="String", hidden=True)
FORMATTERS = ("DefaultMessageFormatter", "LoggingMessageFormatter", "NoOpMessageFormatter")
ISOLATION_LEVELS = ("read_committed", "read_uncommitted")
_REPLACED = {
    "consumer-property": "command-property",
    "property": "formatter-property",
    "consumer.config": "command-config",
}
_WARNING = "Option --{old} is deprecated and will be removed in a future version. Use --{new} instead."
_BOTH = "Options --{old} and --{new} cannot be specified together."
_GREETING = "This tool helps to read data from Kafka topics and outputs it to standard output."
_POLL_S = 0.1
_AT_ONCE = 500


def main(argv: Sequence[str]) -> int:
    """Run `kafka-console-consumer` with `argv`; gives the exit status."""
    return Tool("kafka-console-consumer", _GREETING, _run, [WHITELIST], explains=True).main(argv)


def _run(parsed: Parsed) -> int:
    if parsed.has(WHITELIST.name):
        parsed.given["include"] = parsed.given.pop(WHITELIST.name) + parsed.given.get("include", [])
    _check(parsed)
    deprecated.replace(parsed, _REPLACED, _WARNING, _BOTH)
    configuration = _configuration(parsed)
    offset = _offset(parsed)
    formatter = _formatter(parsed)
    reading = _Reading(parsed, formatter)
    consumer = _subscribed(configuration, parsed, offset)
    try:
        with _stopped_by_signals(reading):
            reading.run(consumer)
    finally:
        consumer.close()
        print(f"Processed a total of {reading.count} messages", file=sys.stderr)
    return reading.status


def _check(parsed: Parsed) -> None:
    if parsed.has("topic") == parsed.has("include"):
        raise UsageError("Exactly one of the following arguments is required: [topic], [include]")
    if parsed.has("partition"):
        if not parsed.has("topic"):
            raise UsageError("The topic is required when partition is specified.")
        if parsed.has("from-beginning") and parsed.has("offset"):
            raise UsageError("Options from-beginning and offset cannot be specified together.")
    elif parsed.has("offset"):
        raise UsageError("The partition is required when offset is specified.")
    require(parsed, "bootstrap-server")


def _configuration(parsed: Parsed) -> dict[str, Any]:
    file, given = properties_file(parsed.value("command-config")), key_values(parsed.values("command-property"))
    groups = [part["group.id"] for part in (file, given) if "group.id" in part]
    groups = sorted({*groups, *parsed.values("group")})
    if len(groups) > 1:
        raise UsageError(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via "
            f"'--consumer.config') do not match. Detected group ids: {', '.join(repr(group) for group in groups)}"
        )
    if groups and parsed.has("partition"):
        raise UsageError("Options group and partition cannot be specified together.")
    properties = {**file, **given}
    properties["auto.offset.reset"] = _reset(properties, parsed)
    properties["bootstrap.servers"] = parsed.value("bootstrap-server") or ""
    properties.setdefault("client.id", "console-consumer")
    properties["isolation.level"] = _isolation(properties, parsed)
    # The group of somebody who names none is used once: it has no offsets to keep.
    properties["group.id"] = groups[0] if groups else f"console-consumer-{random.randrange(100000)}"
    properties.setdefault("enable.auto.commit", "true" if groups else "false")
    properties.setdefault("allow.auto.create.topics", "true")
    if parsed.has("include"):
        # Topics that come later are looked for that often; Java's five minutes help nobody at a terminal.
        properties.setdefault("topic.metadata.refresh.interval.ms", "5000")
    excluded = ",".join(f"^{re.escape(name)}$" for name in sorted(INTERNAL))
    return {"topic.blacklist": excluded, **settings(properties)}


def _reset(properties: dict[str, str], parsed: Parsed) -> str:
    given = properties.get("auto.offset.reset")
    if given is None:
        return "earliest" if parsed.has("from-beginning") else "latest"
    if parsed.has("from-beginning") and given != "earliest":
        raise Refusal(
            f"Can't simultaneously specify --from-beginning and 'auto.offset.reset={given}', please remove one option"
        )
    return given


def _isolation(properties: dict[str, str], parsed: Parsed) -> str:
    given = None if parsed.has("isolation-level") else properties.get("isolation.level")
    level = given or parsed.value("isolation-level") or ""
    if level not in ISOLATION_LEVELS:
        values = ", ".join(ISOLATION_LEVELS)
        raise Refusal(f"Invalid value {level} for configuration isolation.level: String must be one of: {values}")
    return level


def _offset(parsed: Parsed) -> int:
    """Where a partition is read from; librdkafka's numbers for its beginning and its end."""
    from confluent_kafka import OFFSET_BEGINNING, OFFSET_END

    text = parsed.value("offset") or ""
    if not parsed.has("offset"):
        return int(OFFSET_BEGINNING if parsed.has("from-beginning") else OFFSET_END)
    named = {"earliest": OFFSET_BEGINNING, "latest": OFFSET_END}
    if text.lower() not in named and not text.isdecimal():
        raise UsageError(
            f"The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', "
            "or a non-negative long."
        )
    return int(named.get(text.lower(), text))


def _formatter(parsed: Parsed) -> MessageFormatter:
    name = parsed.value("formatter") or ""
    short = name.rpartition(".")[2]
    if short not in FORMATTERS:
        raise UsageError(f"{name}: no formatter of that name here; there are {', '.join(FORMATTERS)}")
    properties = properties_file(parsed.value("formatter-config"))
    for part in ("key", "value"):
        if parsed.value(f"{part}-deserializer"):
            properties[f"{part}.deserializer"] = parsed.value(f"{part}-deserializer") or ""
    properties.update(key_values(parsed.values("formatter-property")))
    if short == "NoOpMessageFormatter":
        properties = {"print.value": "false"}
    return MessageFormatter(properties)


def _subscribed(configuration: dict[str, Any], parsed: Parsed, offset: int) -> Any:
    from confluent_kafka import Consumer, TopicPartition

    partition = parsed.number("partition")
    consumer: Any = make(Consumer, {**configuration, "error_cb": complain_once()})
    topic = parsed.value("topic")
    if topic is not None and partition is not None:
        consumer.assign([TopicPartition(topic, partition, offset)])
    else:
        consumer.subscribe([topic if topic is not None else f"^({parsed.value('include')})$"])
    return consumer


class _Reading:
    """Reads until the messages asked for have come, none came for `--timeout-ms`, or a signal stops it."""

    def __init__(self, parsed: Parsed, formatter: MessageFormatter) -> None:
        self.count, self.status = 0, 0
        self.stopped = False
        self._formatter = formatter
        self._parsed = parsed
        self._skip_errors = parsed.has("skip-message-on-error")
        self._complain = complain_once()

    def run(self, consumer: Any) -> None:
        """Print messages of `consumer`; a fault of a message is told and ends it with status 1."""
        try:
            self._read(consumer, self._parsed.number("max-messages"), self._parsed.number("timeout-ms"))
        except BrokenPipeError:
            print("Unable to write to standard out, closing consumer.", file=sys.stderr)
            sys.stdout = None  # nobody reads it: nothing is left to be flushed at the end
        except (OptionError, Refusal) as error:
            print(f"ERROR Unknown error when running consumer: {error}", file=sys.stderr)
            self.status = 1

    def _read(self, consumer: Any, most: int | None, timeout_ms: int | None) -> None:
        last = time.monotonic()
        while not self.stopped and (most is None or most < 0 or self.count < most):
            wanted = _AT_ONCE if most is None or most < 0 else min(_AT_ONCE, most - self.count)
            messages = [message for message in self._some(consumer, wanted) if not self._is_error(message)]
            if messages:
                self._print(messages)
                last = time.monotonic()
            elif timeout_ms is not None and 0 <= timeout_ms < (time.monotonic() - last) * 1000:
                print(
                    "ERROR Error processing message, terminating consumer process: "
                    f"no message came within {timeout_ms} ms",
                    file=sys.stderr,
                )
                return

    def _some(self, consumer: Any, most: int) -> list[Any]:
        """The next message as soon as there is one, and with it those that are there already."""
        first = consumer.poll(_POLL_S)
        return [] if first is None else [first, *(consumer.consume(most - 1, 0) if most > 1 else [])]

    def _is_error(self, message: Any) -> bool:
        if message.error() is None:
            return False
        self._complain(message.error())
        return True

    def _print(self, messages: list[Any]) -> None:
        output = sys.stdout.buffer
        for message in messages:
            self.count += 1
            try:
                output.write(self._formatter.line(_message(message)))
            except Refusal as error:
                if not self._skip_errors:
                    raise
                print(f"ERROR Error processing message, skipping this message: {error}", file=sys.stderr)
        output.flush()


def _message(message: Any) -> Message:
    kind, timestamp_ms = message.timestamp()
    headers = message.headers() or []
    return Message(message.partition(), message.offset(), kind, timestamp_ms, headers, message.key(), message.value())


@contextmanager
def _stopped_by_signals(reading: _Reading) -> Iterator[None]:
    """SIGINT and SIGTERM end the reading between two messages; the status says which it was, as a shell does."""

    def stop(number: int, _: FrameType | None) -> None:
        reading.stopped, reading.status = True, 128 + number

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
