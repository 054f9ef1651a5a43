"""A worker's place in its group, on our broker and on Apache Kafka."""

import queue
import uuid
from collections.abc import Callable, Iterator

import pytest
from kafka.protocol.admin import DescribeGroupsRequest

from headrace.config import ConfigError
from headrace.connect.client.network import network_settings
from headrace.connect.runtime.assignment import Assignment, Snapshot, WorkerState
from headrace.connect.runtime.membership import GroupSettings, Joined, Left, Membership
from headrace.connect.runtime.messages import TaskId
from tests.conftest import free_port
from tests.connect.conftest import Brokers
from tests.connect.rig import until
from tests.contract.broker_process import broker_process
from tests.contract.wire_client import WireClient

URL = "http://127.0.0.1:8083/"


class Member:
    def __init__(self, bootstrap: str, group: str, url: str = URL, protocol: str = "sessioned") -> None:
        self.group = group
        self.events: queue.Queue[Joined | Left] = queue.Queue()
        settings = GroupSettings(
            bootstrap,
            group,
            url,
            "connect-127.0.0.1:8083",
            protocol,
            session_timeout_ms=6000,
            heartbeat_interval_ms=500,
        )
        self.membership = Membership(settings, self.events.put)

    def joined(self, deadline_s: float = 30) -> Joined:
        """The next round that ended."""
        while True:
            event = self.events.get(timeout=deadline_s)
            if isinstance(event, Joined):
                return event

    def holds(self, *ids: TaskId) -> Joined:
        """The next round after which exactly these are held."""
        while set((event := self.joined()).held.assigned) != set(ids):
            pass
        return event


@pytest.fixture
def make(brokers: Brokers) -> Iterator[Callable[..., Member]]:
    """Makes members of a group; they leave at the end."""
    made: list[Member] = []

    def make_one(group: str | None = None, **more: str) -> Member:
        made.append(Member(brokers.bootstrap, group or f"connect-{uuid.uuid4().hex[:8]}", **more))
        return made[-1]

    yield make_one
    for member in made:
        member.membership.stop(5)


def described(bootstrap: str, group: str):
    with WireClient(bootstrap) as client:
        return client.call(DescribeGroupsRequest(groups=[group], include_authorized_operations=False), 5).groups[0]


def test_a_worker_alone_joins_and_leads(make):
    member = make()
    member.membership.start(Snapshot(-1, {}))
    first = member.joined()
    assert (first.leads, first.held.assigned, first.held.leader_url) == (True, (), URL)


def test_a_new_connector_and_its_tasks_are_assigned_in_the_next_rounds(make):
    member = make()
    member.membership.start(Snapshot(-1, {}))
    first = member.joined()
    member.membership.update(Snapshot(2, {"c": 0}), rejoin=True)
    second = member.joined()
    assert second.held.assigned == (TaskId("c", -1),)
    assert second.generation > first.generation
    member.membership.update(Snapshot(5, {"c": 2}), rejoin=True)
    assert set(member.joined().held.assigned) == {TaskId("c", -1), TaskId("c", 0), TaskId("c", 1)}


def test_what_was_deleted_is_revoked(make):
    member = make()
    member.membership.start(Snapshot(3, {"c": 1, "d": 1}))
    member.holds(TaskId("c", -1), TaskId("c", 0), TaskId("d", -1), TaskId("d", 0))
    member.membership.update(Snapshot(5, {"d": 1}), rejoin=True)
    after = member.joined()
    assert set(after.revoked) == {TaskId("c", -1), TaskId("c", 0)}
    assert set(after.held.assigned) == {TaskId("d", -1), TaskId("d", 0)}


def test_the_group_is_described_as_java_workers_are(make, brokers):
    member = make()
    member.membership.start(Snapshot(7, {"c": 1}))
    member.holds(TaskId("c", -1), TaskId("c", 0))
    member.membership.update(Snapshot(8, {"c": 1}), rejoin=True)
    member.joined()
    group = described(brokers.bootstrap, member.group)
    assert (group.group_state, group.protocol_type, group.protocol_data) == ("Stable", "connect", "sessioned")
    said = WorkerState.decode(bytes(group.members[0].member_metadata))
    assert (said.url, said.config_offset) == (URL, 8)
    assert said.held is not None
    assert set(said.held.assigned) == {TaskId("c", -1), TaskId("c", 0)}
    assert Assignment.decode(bytes(group.members[0].member_assignment)).assigned == ()


def test_a_worker_that_stops_leaves_at_once(make, brokers):
    member = make()
    member.membership.start(Snapshot(-1, {}))
    member.joined()
    member.membership.stop(5)
    until(lambda: described(brokers.bootstrap, member.group).members == [], lambda: "the member is still there")


@pytest.mark.parametrize("protocol", ["eager", "compatible", "sessioned"])
def test_two_workers_share_the_work_and_one_takes_over_all_of_it(make, protocol):
    one = make(protocol=protocol)
    one.membership.start(Snapshot(4, {"c": 1, "d": 1}))
    everything = {TaskId(name, task) for name in "cd" for task in (-1, 0)}
    one.holds(*everything)
    two = make(group=one.group, url="http://127.0.0.1:8084/", protocol=protocol)
    two.membership.start(Snapshot(4, {"c": 1, "d": 1}))
    held = {"one": set(everything), "two": set()}

    def take_part() -> bool:
        for name, member in (("one", one), ("two", two)):
            while not member.events.empty():
                event = member.events.get()
                if isinstance(event, Joined):
                    held[name] = set(event.held.assigned)
                    # What is revoked has stopped here; the next round gives it away.
                    if event.revoked:
                        member.membership.update(Snapshot(4, {"c": 1, "d": 1}), rejoin=True)
        return held["one"] | held["two"] == everything and len(held["one"]) == len(held["two"]) == 2

    until(take_part, lambda: str(held), 40)
    two.membership.stop(5)
    one.holds(*everything)


def test_a_broker_that_comes_back_finds_its_member_again(tmp_path):
    with broker_process(tmp_path) as broker:
        member = Member(broker.bootstrap, "connect-back")
        member.membership.start(Snapshot(3, {"c": 1}))
        member.holds(TaskId("c", -1), TaskId("c", 0))
        broker.kill()
        broker.start()
        member.membership.update(Snapshot(5, {"c": 2}), rejoin=True)
        member.holds(TaskId("c", -1), TaskId("c", 0), TaskId("c", 1))
        member.membership.stop(5)


def test_without_a_broker_a_stop_does_not_wait_for_one():
    member = Member(f"127.0.0.1:{free_port()}", "connect-nowhere")
    member.membership.start(Snapshot(-1, {}))
    member.membership.stop(8)
    assert not member.membership._thread.is_alive()


def test_client_settings_are_those_of_the_other_clients():
    settings = {"security.protocol": "SASL_SSL", "sasl.username": "u", "ssl.ca.location": "/ca.pem", "client.id": "x"}
    assert network_settings(settings) == {
        "security_protocol": "SASL_SSL",
        "sasl_plain_username": "u",
        "ssl_cafile": "/ca.pem",
    }
    with pytest.raises(ConfigError, match="PEM key stores only"):
        network_settings({"ssl.keystore.location": "/a.p12"})
