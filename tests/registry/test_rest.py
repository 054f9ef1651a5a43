"""The REST interface: paths, bodies, errors and content types, on our broker and on Apache Kafka."""

import json
import uuid

import pytest

from tests.registry.desk import record_of

V1 = "application/vnd.schemaregistry.v1+json"


ONE, TWO = record_of("x int", name="Found"), record_of("x int", "y int=0", name="Found")


def test_a_schema_is_registered_and_found_by_subject_id_and_text(registry, subject):
    client = registry.client
    first = registry.register(subject, ONE)
    assert first.status_code == 200
    id_ = first.json()["id"]
    assert first.json()["version"] == 1
    assert registry.register(subject, ONE).json() == first.json()
    second = registry.register(subject, TWO).json()
    assert (second["id"], second["version"]) == (id_ + 1, 2)
    assert client.get(f"/subjects/{subject}/versions").json() == [1, 2]
    latest = client.get(f"/subjects/{subject}/versions/latest").json()
    assert (latest["subject"], latest["version"], latest["schema"]) == (subject, 2, TWO)
    assert client.get(f"/subjects/{subject}/versions/-1").json() == latest
    assert client.get(f"/subjects/{subject}/versions/1/schema").text == ONE
    assert client.get(f"/schemas/ids/{id_}").json()["schema"] == ONE
    assert client.get(f"/schemas/ids/{id_}/schema").text == ONE
    assert client.get(f"/schemas/ids/{id_}/subjects").json() == [subject]
    assert client.get(f"/schemas/ids/{id_}/versions").json() == [{"subject": subject, "version": 1}]
    assert client.get(f"/schemas/guids/{latest['guid']}/ids").json() == [{"context": ".", "id": id_ + 1}]
    found = client.post(f"/subjects/{subject}", json={"schema": ONE}).json()
    assert (found["version"], found["id"]) == (1, id_)
    assert subject in client.get("/subjects").json()
    assert client.get("/subjects", params={"subjectPrefix": subject}).json() == [subject]
    shown = client.get("/schemas", params={"subjectPrefix": subject, "latestOnly": "true"}).json()
    assert [each["version"] for each in shown] == [2]


def test_deleting_shows_at_once_everywhere(registry, subject):
    client = registry.client
    registry.register(subject, record_of("x int", name="Deleted"))
    id_ = registry.register(subject, record_of("x int", "y int=0", name="Deleted")).json()["id"]
    assert client.delete(f"/subjects/{subject}/versions/latest").json() == 2
    assert client.get(f"/subjects/{subject}/versions").json() == [1]
    assert client.get(f"/subjects/{subject}/versions", params={"deleted": "true"}).json() == [1, 2]
    assert client.get(f"/subjects/{subject}/versions/2", params={"deleted": "true"}).json()["deleted"] is True
    assert client.get(f"/schemas/ids/{id_}").status_code == 200
    assert client.delete(f"/subjects/{subject}").json() == [1]
    assert subject not in client.get("/subjects").json()
    assert subject in client.get("/subjects", params={"deletedOnly": "true"}).json()
    assert client.delete(f"/subjects/{subject}", params={"permanent": "true"}).json() == [1, 2]
    assert client.get(f"/schemas/ids/{id_}").json()["error_code"] == 40403
    assert subject not in client.get("/subjects", params={"deleted": "true"}).json()


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/subjects/none/versions", None, 40401),
        ("GET", "/subjects/none/versions/1", None, 40401),
        ("GET", "/subjects/none/versions/x", None, 42202),
        ("GET", "/subjects/none/versions/0", None, 42202),
        ("POST", "/subjects/none", {"schema": '"int"'}, 40401),
        ("POST", "/subjects/none", {"schema": "{"}, 42201),
        ("POST", "/subjects/none/versions", {"schema": "{"}, 42201),
        ("POST", "/subjects/none/versions", {"schema": "x", "schemaType": "PROTOBUF"}, 42201),
        ("POST", "/subjects/none/versions", {"schema": 1}, 422),
        ("POST", "/subjects/none/versions", {"schema": '"int"', "references": [{}]}, 422),
        ("DELETE", "/subjects/none", None, 40401),
        ("DELETE", "/subjects/none/versions/1", None, 40401),
        ("GET", "/schemas/ids/987654", None, 40403),
        ("GET", "/schemas/ids/x", None, 404),
        ("GET", "/schemas/ids/987654/subjects", None, 40403),
        ("GET", f"/schemas/guids/{uuid.UUID(int=0)}", None, 40403),
        ("GET", "/config/none", None, 40408),
        ("PUT", "/config", {"compatibility": "x"}, 42203),
        ("DELETE", "/config/none", None, 40401),
        ("GET", "/mode/none", None, 40409),
        ("PUT", "/mode", {"mode": "x"}, 42204),
        ("POST", "/compatibility/subjects/none/versions/7", {"schema": '"int"'}, 40402),
        ("GET", "/nothing", None, 404),
        ("PATCH", "/subjects", None, 405),
    ],
)
def test_a_refusal_has_confluents_code_and_a_status_that_fits(client, method, path, body, code):
    answer = client.request(method, path, json=body)
    assert (answer.json()["error_code"], answer.status_code) == (code, int(str(code)[:3]))
    assert answer.json()["message"]
    assert answer.headers["content-type"] == V1


def test_a_body_that_is_no_json_is_refused_whatever_it_says_it_is(client):
    for body, status in ((b"{", 400), (b"[]", 400), (b"", 422)):
        answer = client.post("/subjects/a/versions", content=body, headers={"content-type": "text/plain"})
        assert (answer.status_code, answer.json()["error_code"]) == (status, status)


@pytest.mark.parametrize(
    ("accept", "type_"),
    [
        ("*/*", V1),
        (V1, V1),
        ("application/vnd.schemaregistry+json, application/json", "application/vnd.schemaregistry+json"),
        ("application/json", "application/json"),
        ("text/html", V1),
    ],
)
def test_the_answer_has_the_type_that_is_asked_for(client, accept, type_):
    assert client.get("/subjects", headers={"accept": accept}).headers["content-type"] == type_


def test_the_root_answers_clients_that_knock(client):
    assert client.get("/").json() == client.post("/", json={}).json() == {}
    head = client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert client.get("/schemas/types").json() == ["JSON", "AVRO"]
    assert client.get("/contexts").json() == ["."]
    assert client.get("/v1/metadata/id").json()["scope"]["clusters"]["kafka-cluster"]


def test_settings_are_written_shown_and_forgotten(client, subject):
    assert client.get("/config/").json() == {"compatibilityLevel": "BACKWARD"}
    assert client.put(f"/config/{subject}", json={"compatibility": "full"}).json() == {"compatibility": "FULL"}
    assert client.get(f"/config/{subject}").json() == {"compatibilityLevel": "FULL"}
    assert client.delete(f"/config/{subject}").json() == {"compatibilityLevel": "FULL"}
    scoped = client.get(f"/config/{subject}", params={"defaultToGlobal": "true"})
    assert scoped.json() == {"compatibilityLevel": "BACKWARD"}
    assert client.get("/mode").json() == {"mode": "READWRITE"}
    assert client.put(f"/mode/{subject}", json={"mode": "READONLY"}).json() == {"mode": "READONLY"}
    refused = client.post(f"/subjects/{subject}/versions", json={"schema": '"int"'})
    assert refused.json() == {
        "error_code": 42205,
        "message": f"Subject {subject} in context  is in read-only mode",
    }
    assert client.delete(f"/mode/{subject}").json() == {"mode": "READONLY"}
    assert client.get(f"/mode/{subject}", params={"defaultToGlobal": "true"}).json() == {"mode": "READWRITE"}


def test_compatibility_can_be_asked_before(registry, subject):
    registry.register(subject, record_of("x int"))
    path = f"/compatibility/subjects/{subject}/versions"
    bad, good = {"schema": record_of("x string")}, {"schema": record_of("x long")}
    for each in (path, path + "/latest", path + "/1"):
        assert registry.client.post(each, json=good).json() == {"is_compatible": True}
        assert registry.client.post(each, json=bad).json() == {"is_compatible": False}
    told = registry.client.post(path + "/latest", json=bad, params={"verbose": "true"}).json()
    assert "reader type: STRING not compatible with writer type: INT" in told["messages"][0]
    faulty = registry.client.post(path, json={"schema": "{"}, params={"verbose": "true"}).json()
    assert faulty["is_compatible"] is False


def test_json_schemas_are_kept_and_their_compatibility_is_not_claimed(registry, subject):
    first = registry.register(subject, '{"type": "object", "title": "t"}', schemaType="JSON").json()
    assert (first["schemaType"], first["schema"]) == ("JSON", '{"type":"object","title":"t"}')
    path = f"/compatibility/subjects/{subject}/versions/latest"
    answer = registry.client.post(path, json={"schema": "{}", "schemaType": "JSON"})
    assert answer.json()["error_code"] == 42203
    assert registry.register(subject, '{"type":"string"}', schemaType="JSON").json()["version"] == 2


def test_references_are_resolved_and_shown(registry, subject):
    inner = record_of("x int", name="n.Inner")
    registry.register(f"{subject}-inner", inner)
    reference = {"name": "n.Inner", "subject": f"{subject}-inner", "version": 1}
    outer = '{"type":"record","name":"n.Outer","fields":[{"name":"i","type":"n.Inner"}]}'
    answer = registry.register(subject, outer, references=[reference]).json()
    assert answer["references"] == [reference]
    path = f"/subjects/{subject}-inner/versions/1/referencedby"
    assert registry.client.get(path).json() == [answer["id"]]
    resolved = registry.client.get(f"/schemas/ids/{answer['id']}", params={"format": "resolved"}).json()
    assert json.loads(resolved["schema"])["fields"][0]["type"]["fields"] == [{"name": "x", "type": "int"}]
    assert registry.client.delete(f"/subjects/{subject}-inner").json()["error_code"] == 42206


def test_a_subject_may_have_slashes_and_blanks(registry, subject):
    name = f"{subject}%2Fa%20b"
    assert registry.register(name, '"int"').status_code == 200
    assert registry.client.get(f"/subjects/{name}/versions/1").json()["subject"] == f"{subject}/a b"
    assert registry.client.delete(f"/subjects/{name}").json() == [1]


def test_the_latest_version_with_some_metadata_is_found(registry, subject):
    registry.register(subject, '"int"', metadata={"properties": {"stage": "one"}})
    registry.register(subject, '"long"', metadata={"properties": {"stage": "two"}})
    path = f"/subjects/{subject}/metadata"
    assert registry.client.get(path, params={"key": "stage", "value": "one"}).json()["version"] == 1
    assert registry.client.get(path, params={"key": "stage", "value": "x"}).json()["error_code"] == 40403


def test_lists_come_in_pages(registry, subject):
    for text in ('"int"', '"long"', '"float"'):
        registry.register(subject, text)
    path = f"/subjects/{subject}/versions"
    assert registry.client.get(path, params={"offset": 1, "limit": 1}).json() == [2]


def test_the_documentation_knows_every_path(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert "/schemas/ids/{id}/versions" in paths
    assert all(each.get("summary") for operations in paths.values() for each in operations.values())


def test_a_schema_that_the_topic_cannot_hold_is_refused_and_the_next_one_is_not(registry, subject):
    large = '{"type":"fixed","name":"F","size":1,"doc":"' + "x" * 1_200_000 + '"}'
    answer = registry.register(subject, large)
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42209)
    assert answer.json()["message"].startswith("Register schema operation failed because schema is too large")
    assert registry.register(subject, '"int"').json()["version"] == 1
