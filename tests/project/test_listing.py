"""Docker's tables, of states made by hand at a known time."""

from dataclasses import replace

import pytest

from headrace.project.listing import compose_ps, docker_ps, ids, status
from headrace.project.state import ServiceState, State, Status

NOW = 1_000_000.0
BROKER = ServiceState(
    "broker",
    "kafka",
    "confluentinc/cp-kafka:7.3.0",
    "broker",
    "",
    ((0, 40000, False), (9092, 9092, True), (29092, 40001, False)),
    Status.RUNNING,
    pid=1,
    created=NOW - 25,
    started=NOW - 22,
)
ZOOKEEPER = ServiceState(
    "zookeeper", "zookeeper", "cp-zookeeper", "zookeeper", "", status=Status.NOT_NEEDED, created=NOW - 26
)
GENERATOR = ServiceState("gen", "gen", "gen", "foreign", "", status=Status.FOREIGN, created=NOW - 26)


def state(*services: ServiceState) -> State:
    return State("part7-naive", "", (), services)


def test_docker_ps_lists_what_runs_the_newest_first() -> None:
    header, first, second = docker_ps([state(ZOOKEEPER, BROKER, GENERATOR)], NOW, False).splitlines()
    assert header.split("   ")[0] == "CONTAINER ID"
    for part in (
        BROKER.id("part7-naive"),
        "headrace/broker (for confluentinc/cp-kafka:7.3.0)",
        '"headrace broker"',
        "25 seconds ago",
        "Up 22 seconds",
        "127.0.0.1:9092->9092/tcp, 29092/tcp",
    ):
        assert part in first
    assert first.endswith("kafka") and second.endswith("zookeeper")
    # Each cell begins below its heading.
    for heading in ("IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"):
        at = header.index(heading)
        assert first[at - 1] == " " and first[at] != " "


def test_what_has_stopped_is_listed_with_all() -> None:
    ended = replace(BROKER, status=Status.EXITED, exit_code=-9, ended=NOW - 5)
    assert len(docker_ps([state(ended)], NOW, False).splitlines()) == 1
    assert "Exited (137) 5 seconds ago" in docker_ps([state(ended)], NOW, True)
    assert "zookeeper" not in docker_ps([state(ended, ZOOKEEPER)], NOW, False)


def test_ids_are_new_for_what_is_created_anew() -> None:
    (one,) = ids([state(BROKER)], False).split()
    (other,) = ids([state(replace(BROKER, created=NOW))], False).split()
    assert len(one) == len(other) == 12 and one != other


@pytest.mark.parametrize(
    ("service", "words"),
    [
        (BROKER, "Up 22 seconds"),
        (replace(BROKER, restarts=2), "Up 22 seconds (brought back 2x)"),
        (replace(BROKER, status=Status.STARTING), "Up 25 seconds (health: starting)"),
        (replace(BROKER, status=Status.RESTARTING, exit_code=1), "Restarting (1) 22 seconds ago"),
        (replace(BROKER, status=Status.STOPPING), "Stopping"),
        (ZOOKEEPER, "Not needed: the broker does its work"),
    ],
)
def test_the_status_is_in_dockers_words(service: ServiceState, words: str) -> None:
    assert status(service, NOW) == words


def test_compose_ps_lists_one_project_by_name() -> None:
    header, *rows = compose_ps(state(ZOOKEEPER, BROKER), NOW, False).splitlines()
    assert header.split() == ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"]
    assert [row.split()[0] for row in rows] == ["kafka", "zookeeper"]


def test_a_state_is_read_as_it_was_written() -> None:
    made = state(ZOOKEEPER, BROKER)
    assert State.parse(made.format()) == made
