"""Units of work: how they come from what they are to what they are wanted to be."""

from dataclasses import replace

import pytest

from headrace.connect.runtime import messages
from headrace.connect.runtime.messages import StateChanged, TaskId
from headrace.connect.runtime.restart_policy import RestartPolicy
from headrace.connect.runtime.worker import Unit, Wanted, Worker
from headrace.connect.stores.config import TargetState

TASK, CONNECTOR = TaskId("c", 0), TaskId("c", -1)
WANTED = Wanted({"a": "1"}, {"t": "1"}, TargetState.STARTED)


class Rig:
    """A worker on a pool that only writes down what it is asked, and a clock that stands still."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.statuses: list[str] = []
        self.now = 100.0
        self.started: list[messages.StartTask] = []
        self.worker = Worker(self, self._status, RestartPolicy(1.0, 8.0), 5000, lambda: self.now)

    def _status(self, unit: Unit, trace: str) -> None:
        self.statuses.append(f"{unit.id} {unit.state}{': ' + trace if trace else ''}")

    def start_task(self, message: messages.StartTask) -> None:
        self.started.append(message)
        self.asked.append(f"start {message.id}")

    def stop_task(self, id: TaskId, deadline_ms: int) -> None:
        self.asked.append(f"stop {id} {deadline_ms}")

    def pause_task(self, id: TaskId, paused: bool) -> None:
        self.asked.append(f"pause {id} {paused}")

    def start_connector(self, connector: str, config: object) -> None:
        self.asked.append(f"start {connector}")

    def stop_connector(self, connector: str) -> None:
        self.asked.append(f"stop {connector}")

    def hear(self, id: TaskId, *states: str) -> None:
        for state in states:
            self.worker.heard(StateChanged(id, state))

    def running(self, id: TaskId, wanted: Wanted = WANTED) -> None:
        self.worker.reconcile({id: wanted})
        self.hear(id, "RUNNING")
        self.asked.clear()
        self.statuses.clear()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_what_is_wanted_is_started_once(rig):
    for _ in range(3):
        rig.worker.reconcile({CONNECTOR: WANTED, TASK: WANTED})
    assert rig.asked == ["start c", "start c-0"]
    rig.hear(CONNECTOR, "RUNNING")
    rig.hear(TASK, "RUNNING")
    assert rig.statuses == ["c--1 RUNNING", "c-0 RUNNING"]


def test_what_is_not_wanted_any_more_is_stopped_and_forgotten(rig):
    rig.running(TASK)
    rig.worker.reconcile({})
    assert rig.asked == ["stop c-0 5000"]
    assert rig.worker.busy("c")
    rig.hear(TASK, "UNASSIGNED")
    assert rig.statuses == ["c-0 UNASSIGNED"]
    assert not rig.worker.busy("c")


def test_a_new_config_stops_before_it_starts(rig):
    rig.running(TASK)
    rig.worker.reconcile({TASK: replace(WANTED, task_config={"t": "2"})})
    assert rig.asked == ["stop c-0 5000"]
    rig.hear(TASK, "UNASSIGNED")
    assert rig.asked == ["stop c-0 5000", "start c-0"]
    assert rig.started[-1].task_config == {"t": "2"}


def test_a_task_that_is_still_starting_is_stopped_all_the_same(rig):
    rig.worker.reconcile({TASK: WANTED})
    rig.worker.reconcile({})
    assert rig.asked == ["start c-0", "stop c-0 5000"]
    rig.hear(TASK, "RUNNING", "UNASSIGNED")
    assert not rig.worker.busy("c")


def test_a_pause_keeps_the_task(rig):
    rig.running(TASK)
    rig.worker.reconcile({TASK: replace(WANTED, target=TargetState.PAUSED)})
    rig.hear(TASK, "PAUSED")
    rig.worker.reconcile({TASK: WANTED})
    assert rig.asked == ["pause c-0 True", "pause c-0 False"]
    assert rig.statuses == ["c-0 PAUSED"]


@pytest.mark.parametrize("target", [TargetState.PAUSED, TargetState.STOPPED])
def test_a_connector_that_is_paused_or_stopped_has_no_instance_and_says_so(rig, target):
    rig.running(CONNECTOR)
    rig.worker.reconcile({CONNECTOR: replace(WANTED, target=target)})
    assert rig.statuses == []
    rig.hear(CONNECTOR, "UNASSIGNED")
    rig.worker.reconcile({CONNECTOR: replace(WANTED, target=target)})
    assert rig.asked == ["stop c"]
    assert rig.statuses == [f"c--1 {target.value}"]


def test_a_restart_announces_itself_in_javas_order(rig):
    rig.running(TASK)
    rig.worker.restart(TASK, announce=True)
    rig.hear(TASK, "UNASSIGNED", "RUNNING")
    assert rig.asked == ["stop c-0 5000", "start c-0"]
    assert rig.statuses == ["c-0 UNASSIGNED", "c-0 RESTARTING", "c-0 RUNNING"]


def test_a_failed_task_stays_so_until_it_is_restarted(rig):
    rig.running(TASK)
    rig.hear(TASK, "FAILED")
    rig.worker.reconcile({TASK: WANTED})
    assert rig.asked == []
    rig.worker.restart(TASK)
    rig.hear(TASK, "UNASSIGNED", "RUNNING")
    assert rig.asked == ["stop c-0 5000", "start c-0"]


def test_work_whose_host_died_is_failed_and_started_again_after_a_back_off_that_doubles(rig):
    rig.running(TASK)
    for delay in (1.0, 2.0, 4.0, 8.0, 8.0):
        rig.worker.host_died((TASK,), "was killed by signal 9", 77)
        assert rig.statuses.pop() == (
            f"c-0 FAILED: Task host 77 was killed by signal 9; the task is started again in {delay:g} s"
        )
        assert rig.worker.next_deadline() == rig.now + delay
        rig.now += delay - 0.1
        rig.worker.tick()
        assert rig.asked == []
        rig.now += 0.1
        rig.worker.tick()
        assert rig.asked == ["start c-0"]
        rig.hear(TASK, "RUNNING")
        rig.asked.clear()


def test_the_back_off_begins_anew_after_a_long_good_time(rig):
    rig.running(TASK)
    rig.worker.host_died((TASK,), "ended", 1)
    rig.now += 1
    rig.worker.tick()
    rig.now += 1000
    rig.worker.host_died((TASK,), "ended", 2)
    assert rig.worker.next_deadline() == rig.now + 1.0


def test_work_that_waits_for_its_restart_can_be_taken_away(rig):
    rig.running(TASK)
    rig.worker.host_died((TASK,), "ended", 1)
    rig.worker.reconcile({})
    assert not rig.worker.busy("c")
    assert rig.worker.next_deadline() is None
    assert rig.statuses[-1] == "c-0 UNASSIGNED"


def test_a_user_need_not_wait_for_the_back_off(rig):
    rig.running(TASK)
    rig.worker.host_died((TASK,), "ended", 1)
    rig.worker.restart(TASK)
    assert rig.asked == ["start c-0"]


def test_a_host_that_dies_while_it_stops_a_task_has_stopped_it(rig):
    rig.running(TASK)
    rig.worker.reconcile({})
    rig.worker.host_died((TASK,), "ended", 1)
    assert rig.statuses == ["c-0 UNASSIGNED"]
    assert not rig.worker.busy("c")


def test_the_late_word_of_a_task_that_was_given_up_changes_nothing(rig):
    rig.running(TASK)
    rig.hear(TASK, "UNASSIGNED")
    rig.hear(TaskId("other", 0), "RUNNING")
    assert rig.statuses == []
    assert rig.worker.busy("c")


def test_at_the_end_everything_is_unassigned(rig):
    rig.running(TASK)
    rig.worker.reconcile({TASK: WANTED, CONNECTOR: replace(WANTED, target=TargetState.STOPPED)})
    rig.statuses.clear()
    rig.worker.unassign_all()
    assert sorted(rig.statuses) == ["c--1 UNASSIGNED", "c-0 UNASSIGNED"]
