"""Connect's group protocol, held against the frames of Java's workers."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.runtime import assignment
from headrace.connect.runtime.assignment import Assignment, Snapshot, WorkerState, assign, merged
from headrace.connect.runtime.messages import TaskId
from headrace.connect.stores.config import ConfigState
from tests.connect import recordings

GROUP = recordings.group()


def work(pairs: list) -> tuple[TaskId, ...]:
    return tuple(TaskId(connector, task) for connector, tasks in pairs for task in tasks)


def test_every_recorded_metadata_reads_as_java_wrote_it_and_is_written_back_byte_for_byte():
    for text, fields in GROUP["metadata"]:
        state = WorkerState.decode(bytes.fromhex(text))
        assert (state.url, state.config_offset) == (fields["url"], fields["config_offset"])
        if fields.get("allocation"):
            assert state.held is not None
            assert state.held.assigned == work(fields["allocation"]["assignment"])
        assert state.encode(fields["version"]).hex() == text


def test_every_recorded_assignment_reads_as_java_wrote_it_and_is_written_back_byte_for_byte():
    for text, fields in GROUP["assignments"]:
        read = Assignment.decode(bytes.fromhex(text))
        assert (read.version, read.error, read.leader) == (fields["version"], fields["error"], fields["leader"])
        assert (read.leader_url, read.config_offset) == (fields["leader_url"], fields["config_offset"])
        assert read.assigned == work(fields["assignment"])
        assert read.revoked == work(fields.get("revoked", []))
        assert read.delay_ms == fields.get("delay_ms", 0)
        assert read.encode().hex() == text


def test_the_first_join_offers_the_protocols_that_java_offers():
    first = GROUP["joins"][0]
    ours = WorkerState("http://127.0.0.1:28493/", -1)
    offered = [[assignment.NAMES[version], ours.encode(version).hex()] for version in assignment.OFFERED["sessioned"]]
    assert offered == first["protocols"]
    assert first["protocol_type"] == assignment.PROTOCOL_TYPE


def snapshot_at(cluster: str, offset: int) -> Snapshot:
    """What a leader knew of the config topic at an offset."""
    state = ConfigState()
    for record in recordings.records(f"{cluster}-configs"):
        if record.offset < offset:
            state.apply(record.offset, record.key, record.value)
    return Snapshot(state.offset, {name: len(state.tasks(name)) for name in state.connectors})


def waits(recorded: dict) -> bool:
    """Whether the leader left the work of a worker that had gone to it for a while: ours gives it away at once."""
    return any(Assignment.decode(bytes.fromhex(text)).delay_ms for text in recorded["assignments"].values())


ALONE = [
    each
    for each in GROUP["rounds"]
    if len(each["members"]) == 1
    and each["group"] in ("connect-golden", "connect-compatible", "connect-eager")
    and not waits(each)
]


@pytest.mark.parametrize("recorded", ALONE, ids=lambda each: f"{each['group']}-{each['generation']}")
def test_a_worker_alone_assigns_what_java_assigned(recorded):
    cluster = {"connect-golden": "connect"}.get(recorded["group"], recorded["group"].removeprefix("connect-"))
    leader = recorded["leader"]
    members = {name: WorkerState.decode(bytes.fromhex(text)) for name, text in recorded["members"].items()}
    theirs = Assignment.decode(bytes.fromhex(recorded["assignments"][leader]))
    snapshot = snapshot_at(cluster, members[leader].config_offset)
    ours = assign(assignment.VERSIONS[recorded["protocol"]], leader, members, snapshot)[leader]
    assert (ours.version, ours.leader, ours.leader_url) == (theirs.version, theirs.leader, theirs.leader_url)
    assert (ours.config_offset, ours.delay_ms) == (theirs.config_offset, theirs.delay_ms)
    assert set(ours.assigned) == set(theirs.assigned)
    assert set(ours.revoked) == set(theirs.revoked)


def test_a_leader_behind_the_topic_assigns_nothing_and_says_so():
    members = {"a": WorkerState("http://a/", 5), "b": WorkerState("http://b/", 9)}
    given_out = assign(assignment.SESSIONED, "a", members, Snapshot(5, {"c": 1}))
    assert {each.error for each in given_out.values()} == {assignment.CONFIG_MISMATCH}
    assert given_out["b"].config_offset == 9
    assert given_out["b"].assigned == ()


def test_a_cut_assignment_is_refused():
    whole = Assignment(2, "leader", "http://a/", 1, (TaskId("c", 0),)).encode()
    with pytest.raises(ValueError, match="Connect's group protocol"):
        Assignment.decode(whole[:-1])


snapshots = st.builds(Snapshot, st.just(7), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 4), max_size=6))
names = st.lists(st.sampled_from(["w1", "w2", "w3"]), unique=True, min_size=1)


@given(version=st.sampled_from([1, 2]), steps=st.lists(st.tuples(snapshots, names), min_size=1, max_size=5))
def test_after_some_rounds_everything_is_held_once_and_evenly(version, steps):
    held: dict[str, Assignment | None] = {}
    for snapshot, members in steps:
        for _ in range(3):
            states = {name: WorkerState(f"http://{name}/", 7, held.get(name)) for name in members}
            given_out = assign(version, members[0], states, snapshot)
            held = {name: merged(held.get(name), delta) for name, delta in given_out.items()}
        everything = Counter(id for each in held.values() if each for id in each.assigned)
        assert everything == Counter(snapshot.configured())
        for connectors in (True, False):
            counts = [sum((id.task < 0) is connectors for id in each.assigned) for each in held.values() if each]
            assert max(counts) - min(counts) <= 1 or max(counts) <= -(-sum(counts) // len(counts))


@given(snapshots, names)
def test_the_eager_protocol_deals_out_everything_once(snapshot, members):
    states = {name: WorkerState(f"http://{name}/", 7) for name in members}
    given_out = assign(assignment.EAGER, members[0], states, snapshot)
    assert Counter(id for each in given_out.values() for id in each.assigned) == Counter(snapshot.configured())
