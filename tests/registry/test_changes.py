"""Changes: ids and versions, what is refused, and with which of Confluent's codes."""

import pytest

from headrace.registry import changes
from headrace.registry.catalog import Proposal
from headrace.registry.errors import RegistryError
from headrace.registry.schema import Reference
from tests.registry.desk import Desk, record_of


@pytest.fixture
def desk() -> Desk:
    return Desk()


def code(call, *arguments, **more) -> int:
    with pytest.raises(RegistryError) as refused:
        call(*arguments, **more)
    return refused.value.code


def test_ids_count_schemas_and_versions_count_within_a_subject(desk):
    assert [(each.id, each.version) for each in (
        desk.register("a", '"int"'), desk.register("b", '"int"'), desk.register("b", '"long"'),
        desk.register("c", '"long"'), desk.register("a", '{ "type" : "int" }'),
    )] == [(1, 1), (1, 1), (2, 2), (2, 1), (1, 1)]  # fmt: skip


def test_a_schema_that_is_there_is_found_however_it_is_written(desk):
    desk.config(None, compatibility="NONE")
    one = desk.register("a", record_of("x int"))
    assert desk.register("a", '{"name":"R", "fields":[{"type":{"type":"int"},"name":"x"}],"type":"record"}') == one
    assert len(desk.topic) == 2
    json = desk.register("j", '{"type":"object","title":"t"}', kind="JSON")
    assert desk.register("j", '{"title":"t","type":"object"}', kind="JSON") == json


def test_an_incompatible_version_is_refused_in_confluents_words(desk):
    desk.register("a", record_of("x int"))
    with pytest.raises(RegistryError) as refused:
        desk.register("a", record_of("x int", "y int"))
    assert (refused.value.code, refused.value.status) == (40901, 409)
    assert str(refused.value) == (
        'Schema being registered is incompatible with an earlier schema for subject "a", details: [{errorType:'
        "'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'y' at path '/fields/1' in the new schema has "
        "no default value and is missing in the old schema', additionalInfo:'y'}, {oldSchemaVersion: 1}, {oldSchema: "
        "'" + record_of("x int") + "'}, {validateFields: 'false', compatibility: 'BACKWARD'}]"
    )


@pytest.mark.parametrize(
    ("level", "codes"),
    [
        # A field that goes, one that comes without a default, one that comes back with another type.
        ("NONE", [0, 0, 0]),
        ("BACKWARD", [0, 40901, 0]),
        ("BACKWARD_TRANSITIVE", [0, 40901, 40901]),
        ("FORWARD", [40901, 0, 0]),
        ("FORWARD_TRANSITIVE", [40901, 0, 40901]),
        ("FULL", [40901, 40901, 0]),
        ("FULL_TRANSITIVE", [40901, 40901, 40901]),
    ],
)
def test_levels_hold_a_new_version_against_the_latest_or_all(level, codes):
    start, gone = record_of("x int", "y int"), record_of("x int")
    steps = ([start], gone), ([gone], record_of("x int", "z int")), ([start, gone], record_of("x int", 'y string="s"'))
    answers = []
    for before, new in steps:
        desk = Desk()
        desk.config("a", compatibility="NONE")
        for text in before:
            desk.register("a", text)
        desk.config("a", compatibility=level)
        try:
            desk.register("a", new)
            answers.append(0)
        except RegistryError as error:
            answers.append(error.code)
    assert answers == codes


def test_versions_of_different_types_do_not_go_together(desk):
    desk.register("a", '"int"')
    with pytest.raises(RegistryError, match="Incompatible because of different schema type"):
        desk.register("a", "{}", kind="JSON")


def test_deleting_goes_in_two_steps(desk):
    desk.register("a", '"int"')
    desk.register("a", '"long"')
    assert code(desk.delete, "a", permanent=True) == 40405
    assert code(desk.delete, "a", 1, permanent=True) == 40407
    assert desk.delete("a", 1) == 1
    assert code(desk.delete, "a", 1) == 40406
    assert desk.delete("a", 1, permanent=True) == 1
    assert code(desk.delete, "a", 1) == 40402
    assert desk.delete("a") == [2]
    assert code(desk.delete, "a") == 40404
    assert desk.delete("a", permanent=True) == [2]
    assert code(desk.delete, "a") == 40401
    assert code(desk.delete, "a", 1) == 40401


def test_a_schema_that_comes_back_keeps_its_id_and_gets_a_new_version(desk):
    desk.register("a", '"int"')
    desk.delete("a")
    again = desk.register("a", '"int"')
    assert (again.id, again.version) == (1, 2)
    assert [schema.version for schema in desk.state.versions("a", deleted=True)] == [2]


def test_the_id_of_a_forgotten_schema_is_not_given_to_another(desk):
    desk.register("a", '"int"')
    desk.delete("a")
    desk.delete("a", permanent=True)
    assert desk.register("a", '"long"').id == 2


def test_forgetting_a_subject_forgets_its_settings(desk):
    desk.register("a", '"int"')
    desk.config("a", compatibility="FULL")
    desk.delete("a")
    desk.delete("a", permanent=True)
    assert desk.state.configs == {}


def test_a_schema_that_others_refer_to_stays(desk):
    desk.register("inner", record_of("x int", name="n.Inner"))
    outer = '{"type":"record","name":"n.Outer","fields":[{"name":"i","type":"n.Inner"}]}'
    latest = desk.register("outer", outer, references=(Reference("n.Inner", "inner", -1),))
    assert latest.content.references == (Reference("n.Inner", "inner", 1),)
    assert code(desk.delete, "inner") == 42206
    assert code(desk.delete, "inner", 1) == 42206
    desk.delete("outer")
    desk.delete("inner")
    assert code(desk.delete, "inner", permanent=True) == 42206
    desk.delete("outer", permanent=True)
    desk.delete("inner", permanent=True)


def test_a_schema_with_its_references_written_out_is_the_same(desk):
    inner = record_of("x int", name="n.Inner")
    desk.register("inner", inner)
    outer = '{"type":"record","name":"n.Outer","fields":[{"name":"i","type":%s}]}'
    reference = (Reference("n.Inner", "inner", 1),)
    one = desk.register("outer", outer % '"n.Inner"', references=reference)
    assert desk.register("outer", outer % inner) == one


def test_a_reference_that_leads_nowhere_is_refused(desk):
    with pytest.raises(RegistryError, match='No schema reference found for subject "x" and version 1'):
        desk.register("a", '"int"', references=(Reference("n", "x", 1),))


def test_normalising_makes_the_order_of_properties_nothing(desk):
    desk.config("a", normalize=True)
    one = desk.register("a", '{"type":"int","b":1,"a":2}')
    assert one.content.text == '{"type":"int","a":2,"b":1}'
    assert desk.register("a", '{"type":"int","a":2,"b":1}') == one


@pytest.mark.parametrize(
    ("mode", "id_", "expected"),
    [("READONLY", -1, 42205), ("READONLY_OVERRIDE", -1, 42205), ("READWRITE", 7, 42205), ("IMPORT", -1, 42205)],
)
def test_modes_say_what_may_be_registered(desk, mode, id_, expected):
    desk.do(changes.set_mode(desk.catalog, None, mode, force=False))
    assert code(desk.register, "a", '"int"', id=id_) == expected


def test_importing_keeps_ids_and_versions_and_never_overwrites(desk):
    desk.do(changes.set_mode(desk.catalog, "a", "IMPORT", force=False))
    schema = desk.register("a", '"int"', id=40, version=3)
    assert (schema.id, schema.version) == (40, 3)
    assert code(desk.register, "a", '"long"', id=40, version=4) == 42205
    desk.register("b", '"string"')
    with pytest.raises(RegistryError, match="Cannot import since found existing subjects"):
        changes.set_mode(desk.catalog, "b", "IMPORT", force=False)
    assert desk.register("b", '["null","string"]').id == 42


def test_metadata_and_rules_are_taken_over_from_the_latest_version(desk):
    metadata = {"properties": {"owner": "me"}}
    desk.register("a", '"int"', metadata=metadata)
    assert desk.register("a", '"int"').version == 1
    assert desk.register("a", '"long"').content.metadata == metadata
    found = desk.catalog.look_up(Proposal("a", '"long"'), normalize=False, deleted=False)
    assert found.version == 2


def test_an_empty_schema_means_the_latest_with_other_metadata(desk):
    assert code(desk.register, "a", "") == 42201
    desk.register("a", '"int"')
    second = desk.register("a", "", metadata={"properties": {"owner": "me"}})
    assert (second.version, second.content.text) == (2, '"int"')
    assert second.id == 2


@pytest.mark.parametrize("given", [{"compatibility": "SOME"}, {"defaultMetadata": {"tags": {}}}, {"alias": "b"}])
def test_a_config_that_would_not_be_kept_to_is_refused(desk, given):
    assert code(changes.set_config, desk.catalog, "a", given) == 42203


def test_settings_count_for_a_subject_then_for_all(desk):
    assert desk.catalog.config_in_scope("a") == {"compatibilityLevel": "BACKWARD"}
    assert desk.config(None, compatibility="full", normalize=True) == {"compatibility": "FULL", "normalize": True}
    assert desk.config("a", compatibility="none") == {"compatibility": "NONE"}
    assert desk.catalog.config_in_scope("a") == {"compatibilityLevel": "NONE", "normalize": True}
    assert desk.catalog.config("b") is None
    assert desk.do(changes.delete_config(desk.catalog, "a")) == {"compatibilityLevel": "NONE"}
    assert code(changes.delete_config, desk.catalog, "a") == 40401


def test_another_context_is_read_but_not_written(desk):
    assert code(desk.register, ":.staging:a", '"int"') == 42205


def test_types_that_are_not_there_yet_are_refused_by_name(desk):
    with pytest.raises(RegistryError, match="Invalid schema type PROTOBUF: this registry has AVRO and JSON"):
        desk.register("a", "message M {}", kind="PROTOBUF")


@pytest.mark.parametrize("text", ['{"type":"nonsense"}', '{"properties":1}', "[]", "{"])
def test_a_text_that_is_no_json_schema_is_refused(desk, text):
    assert code(desk.register, "a", text, kind="JSON") == 42201


def test_versions_that_nobody_checks_are_let_in_with_a_warning(desk, caplog):
    desk.register("a", "{}", kind="JSON")
    assert caplog.text == ""
    assert desk.register("a", '{"type":"object"}', kind="JSON").version == 2
    assert "A version of a is let in unchecked: there are no rules for JSON" in caplog.text
