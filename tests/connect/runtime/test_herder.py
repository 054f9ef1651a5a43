"""The herder: what it writes, starts and stops for what is asked and what happens."""

import pytest

from headrace.connect.runtime import messages
from headrace.connect.runtime.errors import Conflict, NotFound, Unavailable
from headrace.connect.runtime.hosts import HostDied
from headrace.connect.runtime.messages import TaskId
from headrace.connect.stores.config import RestartRequest, TargetState
from headrace.connect.stores.status import Status, status_record
from tests.connect import recordings
from tests.connect.rig import FILE_SOURCE, Rig, until


def config_keys(plane: Rig) -> list[str]:
    """The keys of the config topic in the order they were written, without the session key."""
    return [key for key in plane.log.keys("connect-configs") if key != "session-key"]


def test_a_leader_writes_a_session_key_first(plane):
    plane.create("c")
    assert plane.log.keys("connect-configs")[0] == "session-key"
    assert plane.log.keys("connect-configs").count("session-key") == 1


def test_an_old_session_key_is_replaced(make_plane):
    plane = make_plane(**{"inter.worker.key.ttl.ms": "1"}).start()
    until(lambda: plane.log.keys("connect-configs").count("session-key") > 1, lambda: "no second key was written")


def test_a_new_connector_is_written_started_and_its_tasks_after_it(plane):
    plane.hosts.task_counts["c"] = 2
    plane.create("c", tasks_max="2")
    plane.wait_for("c", "RUNNING", "RUNNING", "RUNNING")
    assert config_keys(plane) == ["connector-c", "task-c-0", "task-c-1", "commit-c"]
    assert plane.hosts.log == ["start c", "start c-0", "start c-1"]


def test_a_new_config_restarts_connector_and_tasks_once(plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.hosts.log.clear()
    plane.create("c", file="other")
    until(lambda: len(plane.hosts.log) == 4, lambda: str(plane.hosts.log))
    plane.wait_for("c", "RUNNING", "RUNNING")
    assert sorted(plane.hosts.log) == ["start c", "start c-0", "stop c", "stop c-0"]
    assert config_keys(plane)[-3:] == ["connector-c", "task-c-0", "commit-c"]


def test_fewer_tasks_than_before_leave_no_status_behind(plane):
    plane.hosts.task_counts["c"] = 3
    plane.create("c", tasks_max="3")
    plane.wait_for("c", *["RUNNING"] * 4)
    plane.create("c", tasks_max="1")
    plane.wait_for("c", "RUNNING", "RUNNING")


def test_a_connector_that_asks_for_new_task_configs_gets_more_tasks(plane):
    plane.create("c", tasks_max="5")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.hosts.task_counts["c"] = 2
    plane.hosts.tell(messages.ReconfigurationRequested("c"))
    plane.wait_for("c", "RUNNING", "RUNNING", "RUNNING")


def test_task_configs_that_are_as_before_are_not_written_again(plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    written = config_keys(plane)
    plane.connectors.restart_connector("c").result(5)
    until(lambda: plane.hosts.log.count("start c") == 2, lambda: str(plane.hosts.log))
    plane.wait_for("c", "RUNNING", "RUNNING")
    assert config_keys(plane) == written


def test_pause_and_resume_keep_the_tasks_and_stop_takes_them(plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.connectors.set_state("c", TargetState.PAUSED).result(5)
    plane.wait_for("c", "PAUSED", "PAUSED")
    plane.connectors.set_state("c", TargetState.STARTED).result(5)
    plane.wait_for("c", "RUNNING", "RUNNING")
    assert "stop c-0" not in plane.hosts.log
    plane.connectors.set_state("c", TargetState.STOPPED).result(5)
    plane.wait_for("c", "STOPPED")
    assert config_keys(plane)[-2:] == ["commit-c", "target-state-c"]
    assert plane.hosts.log[-1] == "stop c-0" or plane.hosts.log[-2] == "stop c-0"
    plane.connectors.set_state("c", TargetState.STARTED).result(5)
    plane.wait_for("c", "RUNNING", "RUNNING")


@pytest.mark.parametrize(("state", "shown"), [(TargetState.PAUSED, "PAUSED"), (TargetState.STOPPED, "STOPPED")])
def test_a_connector_created_paused_or_stopped_starts_nothing(plane, state, shown):
    config = {"connector.class": "x.FileSourceConnector", "name": "c"}
    plane.connectors.put("c", config, state, replace=False).result(5)
    plane.wait_for("c", shown)
    assert plane.hosts.log == []
    assert config_keys(plane) == ["target-state-c", "connector-c"]


def test_a_deleted_connector_is_stopped_and_its_statuses_and_topics_removed(plane):
    plane.create("c")
    plane.hosts.tell(messages.TopicUsed("c", "t"))
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.connectors.delete("c").result(5)
    plane.wait_for("c")
    until(lambda: not plane.connectors.topics("c").result(5)["c"]["topics"], lambda: "the topic is still there")
    assert plane.hosts.log[-2:] in (["stop c", "stop c-0"], ["stop c-0", "stop c"])
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")


def test_a_restart_of_what_failed_leaves_the_rest_alone(plane):
    plane.hosts.task_counts["c"] = 2
    plane.create("c", tasks_max="2")
    plane.wait_for("c", "RUNNING", "RUNNING", "RUNNING")
    plane.hosts.tell(messages.StateChanged(TaskId("c", 1), "FAILED", "no\nat all"))
    plane.wait_for("c", "RUNNING", "RUNNING", "FAILED")
    plane.hosts.log.clear()
    shown = plane.connectors.restart(RestartRequest("c", only_failed=True, include_tasks=True)).result(5)
    assert [shown["connector"]["state"], *(task["state"] for task in shown["tasks"])] == [
        "RUNNING",
        "RUNNING",
        "RESTARTING",
    ]
    plane.wait_for("c", "RUNNING", "RUNNING", "RUNNING")
    assert plane.hosts.log == ["stop c-1", "start c-1"]


def test_one_task_can_be_restarted(plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.hosts.tell(messages.StateChanged(TaskId("c", 0), "FAILED", "no"))
    plane.wait_for("c", "RUNNING", "FAILED")
    plane.connectors.restart_task(TaskId("c", 0)).result(5)
    plane.wait_for("c", "RUNNING", "RUNNING")
    with pytest.raises(NotFound, match="Unknown task: c-7"):
        plane.connectors.restart_task(TaskId("c", 7)).result(5)


def test_a_connector_that_cannot_start_is_failed_with_its_sentence_first(plane):
    plane.hosts.fails["c"] = "the password of x is wrong\n  more"
    plane.create("c")
    plane.wait_for("c", "FAILED")
    assert plane.connectors.status("c").result(5)["connector"]["trace"].startswith("the password of x is wrong")


def test_a_connector_that_cannot_plan_its_tasks_is_failed_and_a_restart_tries_again(plane):
    plane.hosts.faults["c"] = "table t does not exist"
    plane.create("c")
    plane.wait_for("c", "FAILED")
    del plane.hosts.faults["c"]
    plane.connectors.restart_connector("c").result(5)
    plane.wait_for("c", "RUNNING", "RUNNING")


def test_task_configs_that_cannot_be_written_are_written_when_it_works_again(plane):
    plane.hosts.task_counts["c"] = 1
    plane.create("c", tasks_max="3")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.log.refuses = "no broker"
    plane.hosts.task_counts["c"] = 2
    plane.hosts.tell(messages.ReconfigurationRequested("c"))
    plane.log.refuses = plane.herder.ask(lambda: None).result(5)
    plane.wait_for("c", "RUNNING", "RUNNING", "RUNNING")


def test_a_host_that_dies_fails_its_tasks_and_they_come_back(make_plane):
    plane = make_plane(**{"headrace.restart.backoff.ms": "200"}).start()
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.hosts.tell(HostDied(7, (TaskId("c", 0),), "was killed by signal 9"))
    plane.wait_for("c", "RUNNING", "FAILED")
    assert plane.connectors.status("c").result(5)["tasks"][0]["trace"].startswith("Task host 7 was killed by signal 9")
    plane.wait_for("c", "RUNNING", "RUNNING")


def test_source_offsets_are_answered_from_the_topic(plane):
    plane.log.send("connect-offsets", (b'["c",{"table":"t"}]', b'{"incrementing":7}'))
    plane.hosts.tell(messages.GetOffsets(5, "c", ({"table": "t"}, {"table": "u"})))
    until(lambda: bool(plane.hosts.answers), lambda: "no answer")
    assert plane.hosts.answers == [messages.Offsets(5, ({"incrementing": 7}, None))]


def test_after_a_restart_of_the_worker_everything_comes_back_in_its_state(make_plane):
    plane = make_plane()
    for record in recordings.records("connect-configs"):
        plane.log.send("connect-configs", (record.key, record.value))
    plane.hosts.task_counts["g-multi"] = 2
    plane.start()
    plane.wait_for("g-file", "RUNNING", "RUNNING")
    plane.wait_for("g-multi", "PAUSED", "PAUSED", "PAUSED")
    plane.wait_for("g-src", "STOPPED")
    plane.wait_for("g-init-paused", "PAUSED")
    plane.wait_for("g-gone")
    assert "start g-multi" not in plane.hosts.log
    assert "start g-multi-0 paused" in plane.hosts.log


def test_at_the_end_the_status_topic_says_unassigned_and_requests_are_refused(plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.herder.stop()
    written = [(record.key, record.value) for record in plane.log.records["connect-status"]][-2:]
    assert all(value is not None and b'"UNASSIGNED"' in value for _, value in written)
    with pytest.raises(Unavailable):
        plane.connectors.delete("c").result(0)


def test_a_worker_that_does_not_lead_says_who_does(plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.herder.ask(lambda: setattr(plane.herder, "leads", False)).result(5)
    with pytest.raises(Conflict, match="http://me:8083/"):
        plane.create("d")
    with pytest.raises(Conflict, match="http://me:8083/"):
        plane.connectors.set_state("c", TargetState.STOPPED).result(5)


def test_a_worker_that_does_not_lead_may_pause_and_resume(plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.herder.ask(lambda: setattr(plane.herder, "leads", False)).result(5)
    plane.connectors.set_state("c", TargetState.PAUSED).result(5)
    plane.wait_for("c", "PAUSED", "PAUSED")


def test_a_restart_of_what_runs_elsewhere_says_where(plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    elsewhere = status_record(TaskId("c", 0), Status("RUNNING", "other:8083", 9))
    plane.log.send("connect-status", elsewhere)
    plane.herder.ask(lambda: plane.herder.worker.units.pop(TaskId("c", 0))).result(5)
    with pytest.raises(Conflict, match="the worker other:8083"):
        plane.connectors.restart_task(TaskId("c", 0)).result(5)


def test_while_a_write_waits_for_the_brokers_everything_else_is_answered(plane):
    """Fails where the herder's thread waits for the write alone."""
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.log.answers.clear()
    paused = plane.connectors.set_state("c", TargetState.PAUSED)
    assert plane.connectors.names().result(10) == ["c"]
    assert plane.connectors.status("c").result(10)["connector"]["state"] == "RUNNING"
    assert plane.connectors.validate({"connector.class": FILE_SOURCE, "name": "d"}, connect=False).result(10)
    assert not paused.done()
    plane.log.answers.set()
    paused.result(10)
    plane.wait_for("c", "PAUSED", "PAUSED")
