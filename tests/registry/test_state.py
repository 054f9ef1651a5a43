"""The topic in Confluent's bytes, read by hand and folded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.registry.errors import RegistryError
from headrace.registry.records import Key, KeyType
from headrace.registry.state import State
from tests.registry.desk import Desk, record_of

INT = '{"subject":"a-value","version":1,"id":1,"schema":"\\"int\\"","deleted":false}'


def folded(*records: tuple[str, str | None]) -> State:
    state = State()
    for key, value in records:
        state.apply(key.encode(), None if value is None else value.encode())
    return state


def key(version: int = 1, subject: str = "a-value") -> str:
    return f'{{"keytype":"SCHEMA","subject":"{subject}","version":{version},"magic":1}}'


def test_a_topic_of_confluents_registry_is_read_as_it_should_be(caplog):
    state = folded(
        ('{"keytype":"NOOP","magic":0}', None),
        ('{"keytype":"CONFIG","subject":null,"magic":0}', '{"compatibilityLevel":"FULL"}'),
        ('{"keytype":"CONFIG","magic":0}', '{"compatibilityLevel":"NONE"}'),
        ('{"keytype":"MODE","subject":"a-value","magic":0}', '{"subject":"a-value","mode":"READONLY"}'),
        (key(), INT),
        (
            key(2),
            (
                '{"subject":"a-value","version":2,"id":2,"schemaType":"JSON","references":[{"name":"r","subject":"b",'
                '"version":1}],"metadata":{"properties":{"owner":"me"}},"schema":"{}","deleted":false,"offset":3,"ts":4}'
            ),
        ),
        ('{"magic":0,"subject":"old","version":1,"keytype":"SCHEMA"}', INT.replace("a-value", "old")),
    )
    assert caplog.records == []
    assert state.configs == {None: {"compatibilityLevel": "NONE"}}
    assert state.modes == {"a-value": "READONLY"}
    assert [schema.content.kind for schema in state.versions("a-value")] == ["AVRO", "JSON"]
    assert sorted(schema.subject for schema in state.versions_with_id(1)) == ["a-value", "old"]
    assert [each.version for each in state.referrers("b", 1, deleted=False)] == [2]
    assert state.max_id() == 2


def test_a_delete_of_a_subject_marks_its_versions_up_to_the_one_it_names():
    delete = '{"keytype":"DELETE_SUBJECT","subject":"a-value","magic":0}'
    second = INT.replace('"version":1', '"version":2').replace('"id":1', '"id":2').replace("int", "long")
    state = folded((key(), INT), (delete, '{"subject":"a-value","version":1}'), (key(2), second))
    assert [schema.version for schema in state.versions("a-value")] == [2]
    assert [schema.version for schema in state.versions("a-value", deleted=True)] == [1, 2]


def test_a_tombstone_forgets_a_version_and_its_id():
    state = folded((key(), INT), (key(), None))
    assert (state.subjects, state.versions_with_id(1), state.max_id()) == ({}, [], 1)


@pytest.mark.parametrize(("subject", "left"), [("a-value", ["b"]), (None, []), ("b", ["a-value"])])
def test_clearing_forgets_what_was_deleted(subject, left):
    deleted = INT.replace("false", "true")
    name = "null" if subject is None else f'"{subject}"'
    clear = (f'{{"keytype":"CLEAR_SUBJECT","subject":{name},"magic":0}}', f'{{"subject":{name}}}')
    state = folded((key(), deleted), (key(subject="b"), deleted.replace("a-value", "b")), clear)
    assert sorted(state.subjects) == left


def test_a_second_schema_with_an_id_that_is_taken_is_passed_over(caplog):
    state = folded((key(), INT), (key(subject="b"), INT.replace("a-value", "b").replace("int", "long")))
    assert "Id 1 came a second time" in caplog.text
    assert list(state.subjects) == ["a-value"]


@pytest.mark.parametrize(
    ("bad_key", "value"),
    [
        ("nonsense", INT),
        ("[1]", INT),
        ('{"keytype":"OTHER","magic":0}', "{}"),
        (key().replace('"magic":1', '"magic":7'), INT),
        (key(), '{"subject":"a-value"}'),
        (key(), "[]"),
        ('{"keytype":"MODE","magic":0}', "{}"),
        ('{"keytype":"DELETE_SUBJECT","subject":"a","magic":0}', "{}"),
    ],
)
def test_a_record_that_cannot_be_read_is_logged_and_passed_over(bad_key, value, caplog):
    state = folded((bad_key, value), (key(), INT))
    assert "cannot be read and is passed over" in caplog.text
    assert len(state.versions("a-value")) == 1


def test_ids_of_another_context_are_its_own():
    staged = INT.replace("a-value", ":.staging:a-value").replace("int", "long")
    state = folded((key(), INT), (key(subject=":.staging:a-value"), staged))
    assert [schema.content.text for schema in state.versions_with_id(1)] == ['"int"']
    assert [schema.content.text for schema in state.versions_with_id(1, ".staging")] == ['"long"']
    assert state.contexts == {".", ".staging"}


def test_the_records_that_are_written_are_confluents():
    desk = Desk()
    desk.register("s", '"int"')
    desk.config("s", compatibility="none")
    desk.register("s", "{}", kind="JSON")
    desk.delete("s", 1)
    desk.delete("s", 1, permanent=True)
    desk.delete("s")
    assert desk.topic == [
        (
            b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}',
            b'{"subject":"s","version":1,"id":1,"schemaType":"AVRO","schema":"\\"int\\"","deleted":false}',
        ),
        (b'{"keytype":"CONFIG","subject":"s","magic":0}', b'{"subject":"s","compatibilityLevel":"NONE"}'),
        (
            b'{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}',
            b'{"subject":"s","version":2,"id":2,"schemaType":"JSON","schema":"{}","deleted":false}',
        ),
        (
            b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}',
            b'{"subject":"s","version":1,"id":1,"schemaType":"AVRO","schema":"\\"int\\"","deleted":true}',
        ),
        (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', None),
        (b'{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}', b'{"subject":"s","version":2}'),
    ]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["register", "delete", "forget", "delete 1", "forget 1", "config"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(['"int"', '"long"', record_of("x int"), record_of("x int", "y int=0")]),
    ),
    max_size=12,
)


def step(desk: Desk, what: str, subject: str, text: str) -> None:
    match what:
        case "register":
            desk.register(subject, text)
        case "config":
            desk.config(subject, compatibility="NONE")
        case _:
            desk.delete(subject, 1 if what.endswith("1") else None, permanent=what.startswith("forget"))


@given(STEPS)
def test_the_topic_read_again_whole_or_compacted_gives_the_same_state(steps):
    desk = Desk()
    for each in steps:
        try:
            step(desk, *each)
        except RegistryError:
            continue
    last = {key: number for number, (key, _) in enumerate(desk.topic)}
    compacted = [record for number, record in enumerate(desk.topic) if last[record[0]] == number]
    for topic in (desk.topic, compacted):
        state = State()
        for record in topic:
            state.apply(*record)
        assert state.subjects == desk.state.subjects
        assert state.configs == desk.state.configs


def test_a_key_is_read_as_it_was_written():
    for each in (Key(KeyType.CONFIG), Key(KeyType.MODE, "s"), Key(KeyType.SCHEMA, "s", 3), Key(KeyType.NOOP)):
        assert Key.decode(each.encode()) == each
