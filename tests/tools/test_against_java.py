"""The same command lines with Kafka's own tools and with ours on one Apache Kafka: same output, same exit status.

A script is a command a line; `<<<` gives its standard input, `$B` is --bootstrap-server and the node's address, and `@`
stands for a prefix that keeps the two runs of a script apart. One JVM runs a whole script.
"""

import re
import shlex
import uuid

import pytest

from tests.tools.java import CommandLine, Ran, run_in_java
from tests.tools.ours import run

pytestmark = pytest.mark.kafka

_SHORT = {"$R": "--reader-property", "$F": "--formatter-property"}
_TIME = re.compile(r"(CreateTime|LogAppendTime):\d+")


def _command(line: str, bootstrap: str, prefix: str) -> CommandLine:
    text, _, stdin = line.partition(" <<< ")
    for short, long in {**_SHORT, "$B": f"--bootstrap-server {bootstrap}", "@": prefix}.items():
        text = text.replace(short, long)
    tool, *arguments = shlex.split(text)
    return CommandLine(tool, arguments, stdin.replace("\\n", "\n").replace("\\t", "\t"))


def _seen(ran: Ran, prefix: str) -> tuple[int, list[str], list[str]]:
    status, *streams = ran.comparable()
    out, err = ([_TIME.sub(r"\1:T", line.replace(prefix, "@")) for line in lines] for lines in streams)
    return status, out, err


def _compare(script: str, bootstrap: str) -> None:
    lines = [line.strip() for line in script.strip().splitlines()]
    theirs, ours = (f"{who}{uuid.uuid4().hex[:8]}" for who in "jh")
    answers = run_in_java([_command(line, bootstrap, theirs) for line in lines])
    expected = [(line, _seen(answer, theirs)) for line, answer in zip(lines, answers, strict=True)]
    found = [(line, _seen(run(_command(line, bootstrap, ours)), ours)) for line in lines]
    assert found == expected


def test_topics_are_created_changed_and_deleted_as_by_kafka(kafka_bootstrap: str) -> None:
    _compare(
        r"""
        kafka-topics $B --create --topic @a
        kafka-topics $B --create --topic @a --partitions 1
        kafka-topics $B --create --topic @a --if-not-exists
        kafka-topics $B --create --topic=@_b --partitions=3 --replication-factor 1 --config retention.ms=1000
        kafka-topics $B --create --topic @c --replication-factor 2
        kafka-topics $B --create --topic @c --config nonsense=1
        kafka-topics $B --create --topic @c --config nonsense
        kafka-topics $B --create --topic @c --config retention.ms=abc
        kafka-topics $B --create --topic @c --partitions 0
        kafka-topics $B --create --topic @c --partitions abc
        kafka-topics $B --create --topic @c --replica-assignment 1,1
        kafka-topics $B --create --topic @c --replica-assignment 1:1
        kafka-topics $B --create --topic @/c
        kafka-topics $B --describe --topic @a
        kafka-topics $B --describe -topic @_b
        kafka-topics $B --describe --topic @c --under-replicated-partitions
        kafka-topics $B --describe --topic @c --at-min-isr-partitions
        kafka-topics $B --describe --topic @c --unavailable-partitions
        kafka-topics $B --describe --topic @_b --topics-with-overrides
        kafka-topics $B --describe --topic @nope
        kafka-topics $B --describe --topic @nope --if-exists
        kafka-topics $B --describe --topic-id AAAAAAAAAAAAAAAAAAAAAA --topic @a
        kafka-topics $B --describe --topic-id 0123456789012345678901
        kafka-topics $B --alter --topic @a --partitions 2
        kafka-topics $B --describe --topic @a
        kafka-topics $B --alter --topic @a --partitions 1
        kafka-topics $B --alter --topic @nope --partitions 3
        kafka-topics $B --alter --topic @nope --partitions 3 --if-exists
        kafka-topics $B --list --topic @.*
        kafka-topics $B --list --topic @a,@c --exclude-internal
        kafka-topics $B --delete --topic @nope
        kafka-topics $B --delete --topic @nope --if-exists
        kafka-topics $B --delete --topic @.*
        kafka-topics $B --list --topic @.*
        """,
        kafka_bootstrap,
    )


def test_command_lines_for_topics_are_refused_in_kafkas_words(kafka_bootstrap: str) -> None:
    _compare(
        r"""
        kafka-topics
        kafka-topics --help
        kafka-topics --version
        kafka-topics --foo
        kafka-topics --list
        kafka-topics $B --topic @a
        kafka-topics $B --create
        kafka-topics $B --descr --topic @a
        kafka-topics $B --describe -t
        kafka-topics $B --describe --topic
        kafka-topics $B --describe --topic=
        kafka-topics $B --describe --if-exists
        kafka-topics $B --list --describe
        kafka-topics $B --alter --topic @a
        kafka-topics $B --list --partitions 3
        kafka-topics $B --list --if-exists
        kafka-topics $B --create --topic @a --under-replicated-partitions
        kafka-topics $B --create --topic @a --replica-assignment 1 --partitions 1
        kafka-topics $B --describe --topics-with-overrides --at-min-isr-partitions
        kafka-topics $B --list --topic a --topic b
        kafka-topics $B --list --topic @nothing word
        kafka-topics $B --list --topic @nothing --delete-config x
        """,
        kafka_bootstrap,
    )


def test_lines_come_back_as_kafkas_console_clients_carry_them(kafka_bootstrap: str) -> None:
    send, read = (
        "kafka-console-producer $B --topic @t",
        "kafka-console-consumer $B --topic @t --from-beginning --timeout-ms 5000",
    )
    every = read.replace("5000", "1000")
    script = rf"""
        kafka-topics $B --create --topic @t
        {send} <<< hello\n한국어\n\nno end
        {send} $R parse.key=true $R key.separator=: <<< k:v\n
        {send} --property parse.key=true <<< k3\tv3\nnokey\n
        {send} --property parse.key=true --property ignore.error=true <<< nokey\n
        {send} $R parse.key=true $R parse.headers=true
        {send} --sync --compression-codec $R parse.headers=true $R null.marker=N <<< h1:v1,h2:N\tvalue\nN\tN\n
        {send} $R parse.headers=true <<< h1\tvalue\n
        {send} --sync --compression-codec zstd --request-required-acks 1 <<< one\n
        {send} --producer-property acks=0 --max-partition-memory-bytes 10 <<< none\n
        {read} --max-messages 11
        {read} --max-messages 3 --property print.key=true --property print.timestamp=true --property key.separator=|
        {every} $F print.headers=true $F print.partition=true $F null.literal=<null>
        {read} --max-messages 2 $F print.epoch=true $F print.delivery=true $F line.separator=;
        {read} --max-messages 1 $F print.key=true $F print.value=false
        {read} --max-messages 1 --value-deserializer org.apache.kafka.common.serialization.StringDeserializer
        {read} --max-messages 1 --formatter org.apache.kafka.tools.consumer.NoOpMessageFormatter
        {read} --max-messages 0
        kafka-console-consumer $B --topic @t --partition 0 --offset 4 --max-messages 2 --timeout-ms 5000
        kafka-console-consumer $B --topic @t --partition 0 --offset earliest --max-messages 1
        kafka-console-consumer $B --include @t|other --from-beginning --max-messages 1
        kafka-console-consumer $B --topic @t --timeout-ms 700
        kafka-console-consumer $B --topic @t --group @g --from-beginning --max-messages 2
        kafka-console-consumer $B --topic @t --group @g --max-messages 2 --timeout-ms 5000
        """
    _compare(script, kafka_bootstrap)


def test_command_lines_of_the_console_clients_are_refused_in_kafkas_words(kafka_bootstrap: str) -> None:
    _compare(
        r"""
        kafka-console-producer
        kafka-console-producer --help
        kafka-console-producer --topic @t
        kafka-console-producer $B
        kafka-console-producer --bogus
        kafka-console-producer --topic @t --bootstrap-server nocolon
        kafka-console-producer --topic @t $B --compression-codec foo <<< x\n
        kafka-console-producer --topic @t $B --request-required-acks foo <<< x\n
        kafka-console-producer --topic @t $B --timeout abc <<< x\n
        kafka-console-producer --topic @t $B --reader-property key.separator=, --reader-property headers.separator=:
        kafka-console-producer --topic @t $B --command-property acks=0 --producer-property acks=1
        kafka-console-producer --topic @t $B --property a=b --reader-property a=b
        kafka-console-consumer
        kafka-console-consumer --help
        kafka-console-consumer --version
        kafka-console-consumer --bogus
        kafka-console-consumer $B
        kafka-console-consumer --topic @t
        kafka-console-consumer $B --topic @t --include x
        kafka-console-consumer $B --topic @t --offset 5
        kafka-console-consumer $B --include @t --partition 0
        kafka-console-consumer $B --topic @t --partition 0 --offset 1 --from-beginning
        kafka-console-consumer $B --topic @t --partition 0 --offset -3
        kafka-console-consumer $B --topic @t --partition 0 --group g
        kafka-console-consumer $B --topic @t --group g --consumer-property group.id=h
        kafka-console-consumer $B --topic @t --group g --from-beginning --consumer-property auto.offset.reset=latest
        kafka-console-consumer $B --topic @t --property print.key=true --formatter-property x=y
        kafka-console-consumer $B --topic @t --consumer-property a=b --command-property x=y
        """,
        kafka_bootstrap,
    )
