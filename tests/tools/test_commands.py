"""The commands as people run them, on our broker: output, prompts, signals, pipes, names of the address book."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from headrace.config.addresses import VARIABLE
from headrace.tools import TOOLS
from tests.conftest import free_port
from tests.tools.java import CommandLine, Ran
from tests.tools.ours import member, run, words

DEADLINE_S = 30
_HEAVY = {"typer", "pyarrow", "fastapi", "kafka.admin", "headrace.broker", "headrace.connect"}


@pytest.fixture
def command(bootstrap: str) -> "Command":
    """Runs tools in this process."""
    return Command(bootstrap)


class Command:
    """`command("kafka-topics $B --list")`."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def __call__(self, text: str, stdin: str = "") -> Ran:
        tool, *arguments = words(text, self.bootstrap)
        return run(CommandLine(tool, arguments, stdin))


@contextmanager
def process(
    arguments: list[str], stdin: int | IO[bytes] | None = subprocess.DEVNULL, more: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m headrace` with `arguments`, killed at the end where it runs still."""
    running = subprocess.Popen(
        [sys.executable, "-m", "headrace", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(more or {})},
    )
    try:
        yield running
    finally:
        running.kill()
        with running:  # waits for it and closes the pipes
            pass


def wait_for_members(command: Command, group: str) -> None:
    """Until `group` has a member that was given a partition."""
    deadline = time.monotonic() + DEADLINE_S
    while "Stable" not in command(f"kafka-consumer-groups $B --describe --state --group {group}").out:
        assert time.monotonic() < deadline, f"nobody joined {group}"
        time.sleep(0.05)


def test_a_topic_is_created_described_changed_and_deleted(command: Command, name: str) -> None:
    assert command(f"kafka-topics $B --create --topic {name} --partitions 1") == Ran(0, f"Created topic {name}.\n", "")
    again = command(f"kafka-topics $B --create --topic {name}")
    assert again == Ran(1, f"Error while executing topic command : Topic '{name}' already exists.\n", "")
    assert command(f"kafka-topics $B --create --topic {name} --if-not-exists") == Ran(0, "", "")
    assert command(f"kafka-topics $B --alter --topic {name} --partitions 2") == Ran(0, "", "")
    described = command(f"kafka-topics $B --describe --topic {name}").out.splitlines()
    assert "\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: " in described[0]
    assert described[1:] == [
        f"\tTopic: {name}\tPartition: {number}\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: "
        for number in (0, 1)
    ]
    assert command(f"kafka-topics $B --delete --topic {name}") == Ran(0, "", "")
    assert command(f"kafka-topics $B --list --topic {name}") == Ran(0, "\n", "")


def test_a_topic_is_found_by_its_id(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    described = command(f"kafka-topics $B --describe --topic {name}").out
    identity = described.split("TopicId: ")[1].split("\t")[0]
    assert command(f"kafka-topics $B --describe --topic-id {identity}").out == described


def test_configs_of_a_topic_are_set_and_shown(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name} --config retention.ms=1000")
    done = command(f"kafka-configs $B --alter --topic {name} --add-config cleanup.policy=[compact,delete]")
    assert done == Ran(0, f"Completed updating config for topic {name}.\n", "")
    policy, default = "cleanup.policy=compact,delete", "DEFAULT_CONFIG:log.cleanup.policy=delete"
    assert command(f"kafka-configs $B --describe --topic {name}").out.splitlines() == [
        f"Dynamic configs for topic {name} are:",
        f"  {policy} sensitive=false synonyms={{DYNAMIC_TOPIC_CONFIG:{policy}, {default}}}",
        "  retention.ms=1000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=1000}",
    ]
    refused = command(f"kafka-configs $B --alter --topic {name} --add-config nonsense=1")
    assert refused.status == 1 and refused.err.splitlines()[1] == "Unknown topic config name: nonsense"


def test_lines_with_keys_and_headers_come_back(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    sent = command(
        f"kafka-console-producer $B --topic {name} "
        "--reader-property parse.key=true --reader-property parse.headers=true",
        "a:1,b:2\tk1\tv1\na:3\tk2\t한국어\n",
    )
    assert sent == Ran(0, "", "")
    read = command(
        f"kafka-console-consumer $B --topic {name} --from-beginning --max-messages 2 "
        "--formatter-property print.key=true --formatter-property print.headers=true"
    )
    assert read == Ran(0, "a:1,b:2\tk1\tv1\na:3\tk2\t한국어\n", "Processed a total of 2 messages\n")


def test_a_consumer_of_one_partition_starts_where_it_is_told(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    command(f"kafka-console-producer $B --topic {name}", "a\nb\nc\n")
    read = command(f"kafka-console-consumer $B --topic {name} --partition 0 --offset 1 --max-messages 1")
    assert read.out == "b\n"


def test_a_consumer_ends_where_nothing_comes_in_time(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    ended = command(f"kafka-console-consumer $B --topic {name} --timeout-ms 300")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.splitlines()[-1] == "Processed a total of 0 messages"


def test_a_group_goes_on_from_what_it_has_read_and_back_where_it_is_reset(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    command(f"kafka-console-producer $B --topic {name}", "a\nb\nc\n")
    read = f"kafka-console-consumer $B --topic {name} --group {name} --from-beginning --max-messages 2"
    assert command(read).out == "a\nb\n"
    described = command(f"kafka-consumer-groups $B --describe --group {name}")
    assert described.out.splitlines()[2].split() == [name, name, "0", "2", "3", "1", "-", "-", "-"]
    assert described.err == f"\nConsumer group '{name}' has no active members.\n"
    reset = command(f"kafka-consumer-groups $B --reset-offsets --group {name} --topic {name} --shift-by -1 --execute")
    assert reset.out.splitlines()[2].split() == [name, name, "0", "1"]
    assert command(read).out == "b\nc\n"


def test_offsets_of_a_group_are_deleted_and_then_the_group(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    command(f"kafka-consumer-groups $B --reset-offsets --group {name} --topic {name} --to-latest --execute")
    deleted = command(f"kafka-consumer-groups $B --delete-offsets --group {name} --topic {name}")
    assert deleted.out.splitlines()[0] == f"Request succeeded for deleting offsets from group {name}."
    assert deleted.out.splitlines()[3].split() == [name, "0", "Successful"]
    command(f"kafka-consumer-groups $B --reset-offsets --group {name} --topic {name} --to-latest --execute")
    done = command(f"kafka-consumer-groups $B --delete --group {name}")
    assert done.out == f"Deletion of requested consumer groups ('{name}') was successful.\n"
    assert name not in command("kafka-consumer-groups $B --list").out


def test_a_group_with_members_is_neither_reset_nor_deleted(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    with member(command.bootstrap, name, topic=name):
        members = command(f"kafka-consumer-groups $B --describe --members --verbose --group {name}").out.splitlines()
        assert members[2].split()[-5:] == ["1", "-", f"{name}:0", "-", "-"]
        reset = command(f"kafka-consumer-groups $B --reset-offsets --group {name} --topic {name} --to-latest --execute")
        assert f"can only be reset if the group '{name}' is inactive, but the current state is Stable." in reset.out
        assert "The group is not empty." in command(f"kafka-consumer-groups $B --delete --group {name}").out


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_zookeeper_is_answered_with_what_replaced_it(tool: str) -> None:
    answer = run(CommandLine(tool, ["--zookeeper", "zookeeper:2181", "--topic", "t"]))
    assert answer.status == 1 and answer.out == ""
    assert answer.err == (
        "--zookeeper is no longer an option: Kafka runs without ZooKeeper; "
        "use --bootstrap-server HOST:PORT of a broker in its place\n"
    )


def test_names_that_kafka_dropped_still_work(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    assert command(f"kafka-console-producer --broker-list {command.bootstrap} --topic {name}", "x\n") == Ran(0, "", "")
    read = command(f"kafka-console-consumer $B --whitelist {name} --from-beginning --max-messages 1")
    assert read.out == "x\n"


def test_a_broker_that_does_not_answer_is_told_in_time(tmp_path: Path) -> None:
    settings = tmp_path / "client.properties"
    settings.write_text("default.api.timeout.ms=300\n")
    where = f"127.0.0.1:{free_port()}"
    answer = run(
        CommandLine("kafka-topics", ["--bootstrap-server", where, "--list", "--command-config", str(settings)])
    )
    assert answer.status == 1
    assert "Timed out waiting for a node assignment" in answer.out
    assert "Connection refused" in answer.err


def test_what_does_not_arrive_is_told_by_the_producer() -> None:
    arguments = ["--bootstrap-server", f"127.0.0.1:{free_port()}", "--topic", "t", "--max-block-ms", "300"]
    answer = run(CommandLine("kafka-console-producer", arguments, "lost\n"))
    assert "Error when sending message to topic t with key: null, value: 4 bytes with error: " in answer.err
    assert run(CommandLine("kafka-console-producer", [*arguments, "--sync"], "lost\n")).status == 1


def test_a_producer_and_a_consumer_talk_by_names_of_the_address_book(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    book = {VARIABLE: f"broker:29092={command.bootstrap}"}
    reader = ["kafka-console-consumer", "--topic", name, "--group", name, "--bootstrap-server", "broker:29092"]
    reader.append("--from-beginning")  # a member that has just joined may not have asked yet where the end is
    writer = ["kafka-console-producer", "--topic", name, "--broker-list", "broker:29092"]
    with process(reader, more=book) as consumer, process(writer, subprocess.PIPE, book) as producer:
        wait_for_members(command, name)
        assert producer.stdin is not None and consumer.stdout is not None
        producer.stdin.write(b"hello\n")
        producer.stdin.flush()
        assert consumer.stdout.readline() == b"hello\n"  # while the producer's input is open still
        producer.stdin.close()
        assert producer.wait(DEADLINE_S) == 0
        consumer.send_signal(signal.SIGINT)
        assert consumer.wait(DEADLINE_S) == 130
        assert consumer.stderr is not None
        assert consumer.stderr.read() == b"Processed a total of 1 messages\n"


def test_a_terminal_sees_a_prompt_and_ends_with_ctrl_d(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    parent, child = pty.openpty()
    arguments = ["kafka-console-producer", "--bootstrap-server", command.bootstrap, "--topic", name]
    running = subprocess.Popen([sys.executable, "-m", "headrace", *arguments], stdin=child, stdout=child, stderr=child)
    os.close(child)
    try:
        assert os.read(parent, 100) == b">"
        os.write(parent, b"typed\n")
        seen = b""
        while not seen.endswith(b">"):
            seen += os.read(parent, 100)
        assert seen == b"typed\r\n>"
        os.write(parent, b"\x04")
        assert running.wait(DEADLINE_S) == 0
    finally:
        running.kill()
        running.wait()
        os.close(parent)
    assert command(f"kafka-console-consumer $B --topic {name} --from-beginning --max-messages 1").out == "typed\n"


def test_a_consumer_whose_reader_has_gone_ends(command: Command, name: str) -> None:
    command(f"kafka-topics $B --create --topic {name}")
    command(f"kafka-console-producer $B --topic {name}", "x" * 1000 + "\n")
    arguments = ["kafka-console-consumer", "--topic", name, "--from-beginning", "--bootstrap-server", command.bootstrap]
    with process(arguments) as consumer:
        assert consumer.stdout is not None and consumer.stderr is not None
        assert consumer.stdout.read(1) == b"x"
        consumer.stdout.close()
        command(f"kafka-console-producer $B --topic {name}", "more\n")
        assert consumer.wait(DEADLINE_S) == 0
        assert consumer.stderr.read().splitlines()[0] == b"Unable to write to standard out, closing consumer."


def test_a_topic_that_comes_later_is_found_by_name_and_by_pattern(command: Command, name: str) -> None:
    where = ["--bootstrap-server", command.bootstrap, "--max-messages", "1", "--from-beginning"]
    by_name = ["kafka-console-consumer", "--topic", name, *where]
    by_pattern = ["kafka-console-consumer", "--include", f"{name}|other", *where]
    with process(by_name) as first, process(by_pattern) as second:
        for consumer in (first, second):
            assert consumer.stderr is not None
            assert b"not available" in consumer.stderr.readline()
        assert command(f"kafka-console-producer $B --topic {name}", "x\n").status == 0
        for consumer in (first, second):
            assert consumer.stdout is not None
            assert consumer.stdout.readline() == b"x\n"
            assert consumer.wait(DEADLINE_S) == 0


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_a_command_imports_no_more_than_it_needs(tool: str, bootstrap: str) -> None:
    lines = {
        "kafka-topics": "--list",
        "kafka-console-producer": "--topic none",
        "kafka-console-consumer": "--topic none --max-messages 0",
        "kafka-consumer-groups": "--list",
        "kafka-configs": "--describe --topic none",
    }
    program = (
        "import sys, headrace.cli.main as cli\n"
        f"sys.argv[1:] = {[tool, '--bootstrap-server', bootstrap, *lines[tool].split()]!r}\n"
        "try: cli.main()\n"
        "except SystemExit as ended: assert not ended.code, ended.code\n"
        f"heavy = {_HEAVY!r} & set(sys.modules)\n"
        "print('heavy', sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    allowed = ["kafka.admin"] if tool == "kafka-configs" else []
    assert done.stderr.splitlines()[-1] == f"heavy {allowed}"


def test_every_command_is_in_the_help_of_headrace() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "headrace", "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert all(tool in done.stdout for tool in TOOLS)
