"""The REST interface beyond what was recorded: odd requests, errors, masks."""

from collections.abc import Iterator
from concurrent.futures import Future

import httpx
import pytest

from headrace.connect.runtime.hosts import HostLost
from tests.connect.rig import FILE_SOURCE, Rig, serve

CONFIG = {"connector.class": FILE_SOURCE, "file": "/tmp/x", "topic": "t"}


@pytest.fixture
def client(plane, client_of) -> httpx.Client:
    return client_of(plane)


@pytest.fixture(scope="module")
def empty() -> Iterator[httpx.Client]:
    """A worker without connectors."""
    plane = Rig().start()
    with serve(plane) as client:
        yield client
    plane.stop()


def test_values_may_be_numbers_and_booleans_and_come_back_as_the_text_that_was_sent(client):
    body = '{"name": "c", "config": {"connector.class": "FileStreamSource", "tasks.max": 2, "a": true, "b": 1.50}}'
    answer = client.post("/connectors", content=body)
    assert answer.status_code == 201
    config = {"connector.class": "FileStreamSource", "tasks.max": "2", "a": "true", "b": "1.50", "name": "c"}
    assert answer.json()["config"] == config
    assert client.get("/connectors/c/config").json() == config


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_is_json_whatever_its_content_type_says(client, content_type):
    headers = {} if content_type is None else {"content-type": content_type}
    body = b'{"name": "c", "config": {"connector.class": "x.SinkConnector"}}'
    answer = client.post("/connectors", content=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["type"] == "sink"


@pytest.mark.parametrize("path", ["/connectors/", "/connectors/c/", "/connectors/c/status/", "/connector-plugins/"])
def test_a_slash_at_the_end_changes_nothing(client, plane, path):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    assert client.get(path).json() == client.get(path.rstrip("/")).json()
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "part"),
    [
        ("GET", "/nothing", None, 404, "HTTP 404 Not Found"),
        ("PUT", "/connectors", "{}", 405, "HTTP 405 Method Not Allowed"),
        ("POST", "/connectors", "", 400, "no body"),
        ("POST", "/connectors", '{"name": ', 400, "no JSON"),
        ("POST", "/connectors", "[1]", 400, "a JSON object, not an array"),
        ("POST", "/connectors", '{"name": "x"}', 400, "no config"),
        ("POST", "/connectors", '{"name": "x", "config": {}, "extra": 1}', 400, 'Unrecognized field "extra"'),
        ("POST", "/connectors", '{"name": "x", "config": {"name": "y"}}', 400, "doesn't match"),
        ("POST", "/connectors", '{"name": "x", "config": {"a": {}}}', 400, "value of a must be a string"),
        ("POST", "/connectors", '{"name": "x", "config": {"connector.class": "S"}, "initial_state": "NO"}', 400, "NO"),
        ("POST", "/connectors", '{"name": "x", "config": {}}', 400, "contains no connector type"),
        ("PUT", "/connectors/x/config", '{"name": "y"}', 400, "doesn't match connector name in the URL (x)"),
        ("PATCH", "/connectors/x/config", "{}", 404, "Connector x not found"),
        ("GET", "/connectors/x", None, 404, "Connector x not found"),
        ("GET", "/connectors/x/config", None, 404, "Connector x not found"),
        ("GET", "/connectors/x/status", None, 404, "No status found for connector x"),
        ("GET", "/connectors/x/tasks", None, 404, "Connector x not found"),
        ("GET", "/connectors/x/tasks/0/status", None, 404, "No status found for task x-0"),
        ("GET", "/connectors/x/tasks/a/status", None, 404, "HTTP 404 Not Found"),
        ("DELETE", "/connectors/x", None, 404, "Connector x not found"),
        ("PUT", "/connectors/x/pause", None, 404, "Unknown connector x"),
        ("PUT", "/connectors/x/stop", None, 404, "Unknown connector x"),
        ("POST", "/connectors/x/restart", None, 404, "Unknown connector: x"),
        ("POST", "/connectors/x/restart?includeTasks=true", None, 404, "Unknown connector: x"),
        ("POST", "/connectors/x/tasks/0/restart", None, 404, "Unknown connector: x"),
        ("GET", "/connectors/x/offsets", None, 404, "Connector x not found"),
        ("PATCH", "/connectors/x/offsets", '{"offsets": []}', 400, "need to be provided"),
        ("GET", "/admin/loggers/no.such", None, 404, "Logger no.such not found."),
        ("PUT", "/admin/loggers/root", "{}", 400, "'level'"),
        ("PUT", "/admin/loggers/root", '{"level": "LOUD"}', 404, "invalid log level 'LOUD'"),
        ("PUT", "/connector-plugins/JdbcSink/config/validate", '{"connector.class": "a.Other"}', 400, "does not match"),
    ],
)
def test_an_error_is_always_a_code_and_a_message(empty, method, path, body, status, part):
    answer = empty.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.json().keys() == {"error_code", "message"}
    assert answer.json()["error_code"] == status
    assert part in answer.json()["message"]


def test_a_config_that_shows_errors_is_refused_in_javas_words(client):
    answer = client.post("/connectors", json={"name": "c", "config": {**CONFIG, "mode": "wrong"}})
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "Connector configuration is invalid and contains the following 1 error(s):\n"
        "Invalid value wrong for configuration mode\n"
        "You can also find the above list of errors at the endpoint "
        "`/connector-plugins/{connectorType}/config/validate`"
    )
    assert client.get("/connectors").json() == []


def test_a_name_that_is_taken_is_a_conflict(client):
    assert client.post("/connectors", json={"name": "c", "config": CONFIG}).status_code == 201
    answer = client.post("/connectors", json={"name": "c", "config": CONFIG})
    assert (answer.status_code, answer.json()["message"]) == (409, "Connector c already exists")


def test_a_put_changes_and_a_patch_with_null_takes_away(client):
    assert client.put("/connectors/c/config", json=CONFIG).status_code == 201
    assert client.put("/connectors/c/config", json={**CONFIG, "more": 1}).status_code == 200
    answer = client.patch("/connectors/c/config", json={"more": None, "file": "/tmp/y"})
    assert answer.status_code == 200
    assert answer.json()["config"] == {**CONFIG, "file": "/tmp/y", "name": "c"}


def test_expand_knows_info_and_status_and_ignores_the_rest(client, plane):
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    assert client.get("/connectors?expand=info").json()["c"].keys() == {"info"}
    assert client.get("/connectors?expand=what&expand=status").json()["c"].keys() == {"status"}


def test_a_connector_whose_status_is_not_there_yet_is_left_out(client, plane):
    plane.hosts.start_connector = lambda *_: None
    plane.create("c")
    assert client.get("/connectors").json() == ["c"]
    assert client.get("/connectors?expand=status").json() == {}


def test_validate_shows_definitions_values_and_a_count_of_errors(client):
    body = {"connector.class": "a.b.FileSourceConnector", "mode": "wrong"}
    answer = client.put("/connector-plugins/FileSource/config/validate", json=body).json()
    assert answer["name"] == "a.b.FileSourceConnector"
    assert answer["error_count"] == 1
    assert answer["groups"] == ["Mode"]
    assert answer["configs"][0].keys() == {"definition", "value"}


@pytest.mark.parametrize("name", ["HoistField$Value", "org.apache.kafka.connect.transforms.HoistField$Key", "json"])
def test_the_keys_of_stages_are_shown_as_those_of_connectors_are(client, name):
    assert client.get(f"/connector-plugins/{name}/config").json() == [{"name": f"a key of {name}"}]


def test_offsets_change_only_while_a_connector_is_stopped(client, plane):
    plane.create("c")
    change = {"offsets": [{"partition": {"filename": "x"}, "offset": {"position": 9}}]}
    refused = client.patch("/connectors/c/offsets", json=change)
    assert refused.status_code == 400
    assert "must be in the STOPPED state" in refused.json()["message"]
    assert client.put("/connectors/c/stop").status_code == 204
    assert client.patch("/connectors/c/offsets", json=change).status_code == 200
    assert client.get("/connectors/c/offsets").json() == change
    assert client.delete("/connectors/c/offsets").status_code == 200
    assert client.get("/connectors/c/offsets").json() == {"offsets": []}
    assert plane.log.records["connect-offsets"][-1].value is None


def test_topics_are_recorded_once_and_can_be_forgotten(client, plane):
    plane.create("c")
    for _ in range(3):
        plane.hosts.tell(rig_topic("c", "t"))
    plane.wait_for("c", "RUNNING", "RUNNING")
    assert client.get("/connectors/c/topics").json() == {"c": {"topics": ["t"]}}
    assert plane.log.keys("connect-status").count("status-topic-t:connector-c") == 1
    assert client.put("/connectors/c/topics/reset").status_code == 202
    assert client.get("/connectors/c/topics").json() == {"c": {"topics": []}}


def rig_topic(connector: str, topic: str):
    from headrace.connect.runtime.messages import TopicUsed

    return TopicUsed(connector, topic)


def test_topics_can_be_kept_private(make_plane, client_of):
    client = client_of(make_plane(**{"topic.tracking.enable": "false"}).start())
    assert client.get("/connectors/c/topics").status_code == 403
    client = client_of(make_plane(**{"topic.tracking.allow.reset": "false"}).start())
    assert client.put("/connectors/c/topics/reset").json()["message"] == "Topic tracking reset is disabled."


def test_masked_secrets_that_come_back_keep_the_stored_value(make_plane, client_of):
    plane = make_plane(**{"headrace.rest.mask.secrets": "true"}).start()
    client = client_of(plane)
    secret = {**CONFIG, "connection.password": "s3cret", "connection.url": "jdbc:postgresql://h/d?password=s3cret"}
    created = client.post("/connectors", json={"name": "c", "config": secret})
    assert "s3cret" not in created.text
    shown = client.get("/connectors/c/config").json()
    assert shown["connection.password"] == "********"
    assert client.put("/connectors/c/config", json={**shown, "file": "/tmp/y"}).status_code == 200
    for path in ("/connectors/c", "/connectors/c/config", "/connectors/c/tasks", "/connectors?expand=info"):
        assert "s3cret" not in client.get(path).text
    stored = plane.herder.ask(lambda: plane.herder.stores.config.connectors["c"]).result(5)
    assert stored["connection.password"] == "s3cret"
    assert stored["connection.url"] == secret["connection.url"]
    assert stored["file"] == "/tmp/y"


def test_without_the_mask_a_config_is_shown_as_it_was_written(client):
    client.post("/connectors", json={"name": "c", "config": {**CONFIG, "connection.password": "s3cret"}})
    assert client.get("/connectors/c/config").json()["connection.password"] == "s3cret"


def test_a_worker_that_has_not_joined_says_so(make_plane, client_of):
    plane = make_plane().look_only()
    client = client_of(plane)
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "starting")
    assert client.get("/connectors").status_code == 200


def test_a_topic_that_cannot_be_written_is_an_error_of_the_server(client, plane):
    plane.log.refuses = "Failed to write to connect-configs"
    answer = client.post("/connectors", json={"name": "c", "config": CONFIG})
    assert (answer.status_code, answer.json()["message"]) == (500, "Failed to write to connect-configs")


def test_a_host_that_died_over_a_request_is_an_error_of_the_server(client, plane):
    def die(config, *, connect):
        future = Future()
        future.set_exception(HostLost("Task host 7 was killed by signal 9 before it answered"))
        return future

    plane.hosts.validate = die
    assert client.post("/connectors", json={"name": "c", "config": CONFIG}).status_code == 500


def test_the_level_of_a_logger_is_set_here_or_everywhere(client, plane):
    name = "headrace.test.logger"
    assert client.put(f"/admin/loggers/{name}", json={"level": "debug"}).json() == [name]
    assert client.get(f"/admin/loggers/{name}").json()["level"] == "DEBUG"
    assert name in client.get("/admin/loggers").json()
    assert client.put(f"/admin/loggers/{name}?scope=cluster", json={"level": "WARN"}).status_code == 204
    plane.herder.ask(lambda: None).result(5)
    assert client.get(f"/admin/loggers/{name}").json()["level"] == "WARN"
    assert plane.log.keys("connect-configs")[-1] == f"logger-cluster-{name}"


def test_fastapis_own_documentation_knows_every_path(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert "/connectors/{connector}/tasks/{task}/restart" in paths
    assert all(each.get("summary") for operations in paths.values() for each in operations.values())
