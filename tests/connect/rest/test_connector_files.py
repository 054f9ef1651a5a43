"""A connector's file in each form that Kafka's connect-standalone takes, and what is said of a faulty one."""

import json
from pathlib import Path

import pytest

from headrace.connect.rest.connector_files import ConnectorFileError, read_connector_file
from headrace.connect.stores.config import TargetState
from tests.oracle.java import STANDALONE, ask

GOOD = {
    "flat.json": '{"name": "c", "tasks.max": 2, "a": true, "b": 1.5, "n": null}',
    "request.json": '{"name": "c", "config": {"tasks.max": 2}, "extra": [1]}',
    "request-named.properties": '{"name": "c", "config": {"name": "c"}, "initial_state": "STOPPED"}',
    "properties.json": "# a note\nname=c\ntasks.max = 2\npath=a\\\n  b\n",
}
BAD = {
    "nameless.json": ('{"tasks.max": 2}', "the mandatory key 'name' is missing"),
    "nameless.properties": ("tasks.max=2\n", "the mandatory key 'name' is missing"),
    "empty.properties": ("", "the mandatory key 'name' is missing"),
    "other-name.json": ('{"name": "c", "config": {"name": "d"}}', "the name in 'config' \\(d\\) is not the one"),
}
ODD = {
    "broken.json": ('{"name": "c",\n "config": {', "it begins as JSON but is none: .*line 2"),
    "nested.json": ('{"name": "c", "config": {"a": {"b": 1}}}', "value of a must be a string"),
    "list.json": ('["c"]', "must be a JSON object, not an array"),
    "configless.json": ('{"name": "c", "settings": {}}', '"config": {...}'),
    "request-nameless.json": ('{"config": {"a": "b"}}', "'name' is missing beside 'config'"),
    "state.json": ('{"name": "c", "config": {}, "initial_state": "ASLEEP"}', "initial_state must be one of"),
}


def test_every_form_is_read_whatever_the_name_ends_in(tmp_path):
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text)
    read = {name: read_connector_file(tmp_path / name) for name in GOOD}
    assert {file.name for file in read.values()} == {"c"}
    assert read["flat.json"].config == {"name": "c", "tasks.max": "2", "a": "true", "b": "1.5", "n": None}
    assert read["request.json"].config == {"name": "c", "tasks.max": "2"}
    assert read["request-named.properties"].initial_state is TargetState.STOPPED
    assert read["properties.json"].config == {"name": "c", "tasks.max": "2", "path": "ab"}


@pytest.mark.parametrize("name", [*BAD, *ODD])
def test_a_faulty_file_is_named_with_what_is_wrong(tmp_path, name):
    text, part = {**BAD, **ODD}[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(ConnectorFileError, match=part) as raised:
        read_connector_file(tmp_path / name)
    assert str(raised.value).startswith(f"{tmp_path / name}: ")


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path):
    with pytest.raises(ConnectorFileError, match=r"none\.json cannot be read: No such file or directory"):
        read_connector_file(tmp_path / "none.json")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(ConnectorFileError, match="it is not UTF-8"):
        read_connector_file(tmp_path / "bytes")


@pytest.mark.kafka
def test_javas_worker_makes_the_same_of_every_file(tmp_path):
    files = {name: text for name, (text, _) in BAD.items()} | GOOD
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    java = ask([{"do": "parse", "file": str(tmp_path / name)} for name in files], STANDALONE)
    for name, answer in zip(files, java, strict=True):
        assert ("error" in answer) is (name in BAD), f"{name}: {answer}"
        if name not in BAD:
            assert answer["ok"] == shown(tmp_path / name), name


def shown(path: Path) -> dict[str, object]:
    file = read_connector_file(path)
    state = file.initial_state.value if file.initial_state else None
    return json.loads(json.dumps({"name": file.name, "config": file.config, "state": state}))
