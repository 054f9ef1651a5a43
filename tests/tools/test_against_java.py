"""The same command lines with Kafka's own tools and with ours on one Apache Kafka: same output, same exit status.

A script is a command a line; `<<<` gives its standard input, `$B` is --bootstrap-server and the node's address, and `@`
stands for a prefix that keeps the two runs of a script apart.
"""

import re
import shlex
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.java import CommandLine, JavaTools, Ran
from tests.tools.ours import member, run, tool

pytestmark = pytest.mark.kafka

_SHORT = {"$R": "--reader-property", "$F": "--formatter-property"}
_TIME = re.compile(r"(CreateTime|LogAppendTime):\d+")


def _command(line: str, bootstrap: str, prefix: str) -> CommandLine:
    text, _, stdin = line.partition(" <<< ")
    for short, long in {**_SHORT, "$B": f"--bootstrap-server {bootstrap}", "@": prefix}.items():
        text = text.replace(short, long)
    tool, *arguments = shlex.split(text.removeprefix("~"))
    return CommandLine(tool, arguments, stdin.replace("\\n", "\n").replace("\\t", "\t"))


def _seen(line: str, ran: Ran, prefix: str) -> tuple[int, list[str], list[str]]:
    status, *streams = ran.comparable()
    out, err = ([_TIME.sub(r"\1:T", text.replace(prefix, "@")) for text in texts] for texts in streams)
    return status, sorted(out) if line.startswith("~") else out, err


_DYNAMIC = re.compile(r"(\S+)=(\S*) sensitive=\w+ synonyms=\{DYNAMIC_BROKER_CONFIG:\1=([^,}]*)")


def _applied(run: Callable[[CommandLine], Ran], command: CommandLine) -> Ran:
    """What a command answers once the broker has applied what was changed: Kafka does so a moment after it says so."""
    until = time.monotonic() + 10
    while True:
        ran = run(command)
        if all(value == changed for _, value, changed in _DYNAMIC.findall(ran.out)) or time.monotonic() > until:
            return ran
        time.sleep(0.1)


def _compare(java: JavaTools, script: str, bootstrap: str) -> None:
    """A line that begins with `~` prints in an order that is Java's hash tables' own: its lines are sorted."""
    lines = [line.strip() for line in script.strip().splitlines()]
    theirs, ours = (f"{who}{uuid.uuid4().hex[:8]}" for who in "jh")
    answers = [_applied(java.run, _command(line, bootstrap, theirs)) for line in lines]
    expected = [(line, _seen(line, answer, theirs)) for line, answer in zip(lines, answers, strict=True)]
    found = [(line, _seen(line, _applied(run, _command(line, bootstrap, ours)), ours)) for line in lines]
    assert found == expected


def test_topics_are_created_changed_and_deleted_as_by_kafka(java: JavaTools, kafka_bootstrap: str) -> None:
    _compare(
        java,
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


def test_command_lines_for_topics_are_refused_in_kafkas_words(java: JavaTools, kafka_bootstrap: str) -> None:
    _compare(
        java,
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


def test_lines_come_back_as_kafkas_console_clients_carry_them(java: JavaTools, kafka_bootstrap: str) -> None:
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
    _compare(java, script, kafka_bootstrap)


def test_command_lines_of_the_console_clients_are_refused_in_kafkas_words(
    java: JavaTools, kafka_bootstrap: str
) -> None:
    _compare(
        java,
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


_GROUPS = "kafka-consumer-groups $B"
_RESET = f"~{_GROUPS} --reset-offsets --group @g"
_FILL = """
    kafka-topics $B --create --topic @t --partitions 2
    kafka-topics $B --create --topic @empty-and-with-a-long-name
    kafka-console-producer $B --topic @t $R parse.key=true <<< 1\\ta\\n2\\tb\\n3\\tc\\n4\\td\\n5\\te\\n6\\tf\\n
    kafka-console-consumer $B --topic @t --group @g --from-beginning --max-messages 6 $F print.value=false
"""


def test_groups_are_shown_and_deleted_as_by_kafka(java: JavaTools, kafka_bootstrap: str) -> None:
    _compare(
        java,
        rf"""
        {_FILL.strip()}
        {_GROUPS} --describe --group @g
        {_GROUPS} --describe --group @g --offsets
        {_GROUPS} --describe --group @g --members
        {_GROUPS} --describe --group @g --members --verbose
        {_GROUPS} --describe --group @g --state
        {_GROUPS} --describe --group @g --state --verbose
        {_GROUPS} --describe --group @nope
        {_GROUPS} --describe --group @g --group @nope --state
        {_GROUPS} --delete-offsets --group @g --topic @t:0
        {_GROUPS} --describe --group @g
        {_GROUPS} --delete-offsets --group @g --topic @t
        {_GROUPS} --delete-offsets --group @nope --topic @t
        {_GROUPS} --delete-offsets --group @g --topic @nope
        {_GROUPS} --describe --group @g
        {_GROUPS} --delete --group @g
        {_GROUPS} --delete --group @g
        """,
        kafka_bootstrap,
    )


def test_offsets_are_reset_as_by_kafka(java: JavaTools, kafka_bootstrap: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "plan.csv").write_text(f"{name},0,1\n")
    assert tool("kafka-topics", "--bootstrap-server", kafka_bootstrap, "--create", "--topic", name).status == 0
    _compare(
        java,
        rf"""
        {_FILL.strip()}
        {_RESET} --topic @t --to-earliest
        {_RESET} --topic @t --to-latest --dry-run
        {_RESET} --topic @t:0 --to-earliest --execute
        {_RESET} --all-topics --shift-by 1 --execute
        {_RESET} --all-topics --shift-by -10 --execute
        {_RESET} --topic @t:0,1 --topic @empty-and-with-a-long-name --to-offset 1 --execute
        {_RESET} --topic @t --to-offset 100 --execute
        {_RESET} --topic @t --topic @empty-and-with-a-long-name --to-current --execute
        {_RESET} --topic @t --to-datetime 2020-01-01T00:00:00.000 --execute
        {_RESET} --topic @t --to-datetime 2030-01-01T00:00:00.000Z --dry-run
        {_RESET} --topic @t --to-datetime nonsense --dry-run
        {_RESET} --topic @t --by-duration PT1H --dry-run
        {_RESET} --topic @t --by-duration nonsense --dry-run
        {_RESET} --topic @t --to-earliest --export --dry-run
        {_RESET} --from-file {tmp_path}/plan.csv --execute
        {_RESET} --from-file {tmp_path}/missing.csv --execute
        {_RESET} --topic @nope --to-earliest --execute
        {_RESET} --topic @t:7 --to-earliest --execute
        ~{_GROUPS} --reset-offsets --group @new --topic @t --to-earliest --execute
        {_GROUPS} --describe --group @new
        """,
        kafka_bootstrap,
    )


def test_command_lines_for_groups_are_refused_in_kafkas_words(java: JavaTools, kafka_bootstrap: str) -> None:
    _compare(
        java,
        rf"""
        kafka-consumer-groups
        kafka-consumer-groups --help
        kafka-consumer-groups --version
        kafka-consumer-groups --foo
        kafka-consumer-groups --list
        kafka-consumer-groups --validate-regex a.*
        {_GROUPS}
        {_GROUPS} --list --type foo
        {_GROUPS} --list --group x
        {_GROUPS} --describe --group @g --members --state
        {_GROUPS} --describe --group @g --state stable
        {_GROUPS} --describe --group @g --all-groups
        {_GROUPS} --describe --group @g --topic x
        {_GROUPS} --reset-offsets --group @g --to-earliest
        {_GROUPS} --reset-offsets --group @g --topic @t --to-earliest --to-latest
        {_GROUPS} --reset-offsets --group @g --topic @t --to-earliest --execute --dry-run
        {_GROUPS} --reset-offsets --group @g --all-groups --topic @t --to-earliest
        {_GROUPS} --reset-offsets --group @g --topic t:x --to-earliest
        {_GROUPS} --reset-offsets --group @g --topic t:0:1 --to-earliest
        {_GROUPS} --delete --group @g --topic x
        """,
        kafka_bootstrap,
    )


def test_a_group_with_members_is_shown_and_guarded_as_by_kafka(
    java: JavaTools, kafka_bootstrap: str, name: str
) -> None:
    assert tool("kafka-topics", "--bootstrap-server", kafka_bootstrap, "--create", "--topic", name).status == 0
    with member(kafka_bootstrap, name, topic=name):
        _compare(
            java,
            rf"""
            {_GROUPS} --describe --group {name}
            {_GROUPS} --describe --group {name} --members
            {_GROUPS} --describe --group {name} --members --verbose
            {_GROUPS} --describe --group {name} --state
            ~{_GROUPS} --list --state stable
            ~{_GROUPS} --list --type classic --state
            {_GROUPS} --reset-offsets --to-earliest --all-topics --execute --group {name}
            {_GROUPS} --delete-offsets --group {name} --topic {name}
            {_GROUPS} --delete --group {name}
            """,
            kafka_bootstrap,
        )


_CONFIGS = "kafka-configs $B"


def test_configs_are_shown_and_changed_as_by_kafka(java: JavaTools, kafka_bootstrap: str, tmp_path: Path) -> None:
    (tmp_path / "more.properties").write_text("segment.bytes=2000000\n")
    _compare(
        java,
        rf"""
        kafka-topics $B --create --topic @t --config retention.ms=1000
        {_CONFIGS} --describe --entity-type topics --entity-name @t
        {_CONFIGS} --describe --topic @t --all
        {_CONFIGS} --describe --entity-type topics --entity-name @nope
        {_CONFIGS} --alter --entity-type topics --entity-name @t --add-config retention.ms=20
        {_CONFIGS} --alter --topic @t --add-config retention.ms=21,cleanup.policy=[compact,delete]
        {_CONFIGS} --describe --topic @t
        {_CONFIGS} --alter --topic @t --delete-config retention.ms
        {_CONFIGS} --alter --topic @t --delete-config nonsense
        {_CONFIGS} --alter --topic @t --add-config nonsense=1
        {_CONFIGS} --alter --topic @t --add-config retention.ms=abc
        {_CONFIGS} --alter --topic @t --add-config retention.ms=
        {_CONFIGS} --alter --topic @nope --add-config retention.ms=1
        {_CONFIGS} --alter --topic @t --add-config segment.ms=60000 --delete-config cleanup.policy
        {_CONFIGS} --alter --topic @t --add-config-file {tmp_path}/more.properties
        {_CONFIGS} --alter --topic @t --delete-config retention.ms --add-config retention.ms=4
        {_CONFIGS} --alter --topic @t --add-config max.message.bytes=70000
        {_CONFIGS} --describe --topic @t
        {_CONFIGS} --describe --broker 1
        {_CONFIGS} --describe --broker 1 --all
        {_CONFIGS} --describe --entity-type brokers
        {_CONFIGS} --describe --broker 7
        {_CONFIGS} --alter --broker 1 --add-config log.cleaner.threads=2
        {_CONFIGS} --describe --broker 1
        {_CONFIGS} --alter --broker 1 --delete-config log.cleaner.threads
        {_CONFIGS} --alter --broker-defaults --add-config log.retention.ms=7000000
        {_CONFIGS} --describe --broker-defaults
        {_CONFIGS} --alter --broker-defaults --delete-config log.retention.ms
        {_CONFIGS} --alter --broker 1 --add-config broker.id=5
        """,
        kafka_bootstrap,
    )


def test_command_lines_for_configs_are_refused_in_kafkas_words(java: JavaTools, kafka_bootstrap: str) -> None:
    _compare(
        java,
        rf"""
        kafka-configs
        kafka-configs --help
        kafka-configs --version
        kafka-configs --foo
        kafka-configs --describe --topic @t
        {_CONFIGS}
        {_CONFIGS} --describe
        {_CONFIGS} --describe --topic
        {_CONFIGS} --describe --entity-name x
        {_CONFIGS} --describe --broker abc
        {_CONFIGS} --describe --topic @/t
        {_CONFIGS} --describe --entity-type foo --entity-name x
        {_CONFIGS} --describe --topic @t --entity-type topics
        {_CONFIGS} --describe --topic @t --broker 1
        {_CONFIGS} --describe --topic @t --add-config a=b
        {_CONFIGS} --describe --entity-type topics --entity-default
        {_CONFIGS} --describe --topic @t --bootstrap-controller x:1
        {_CONFIGS} --alter --describe --topic @t
        {_CONFIGS} --alter --add-config a=b
        {_CONFIGS} --alter --topic @t
        {_CONFIGS} --alter --topic @t --add-config retention.ms
        {_CONFIGS} --alter --topic @t --add-config a=b=c
        {_CONFIGS} --alter --topic @t --add-config-file x --add-config a=b
        {_CONFIGS} --alter --entity-type topics --add-config a=b
        {_CONFIGS} --alter --entity-type brokers --add-config log.cleaner.threads=1
        """,
        kafka_bootstrap,
    )
