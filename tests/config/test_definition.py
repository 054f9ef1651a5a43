import pytest

from headrace.config.definition import (
    NO_DEFAULT,
    ConfigDef,
    ConfigError,
    Password,
    Type,
    between,
    non_empty_list,
    non_empty_values,
    one_of,
)


@pytest.fixture
def definition() -> ConfigDef:
    return (
        ConfigDef()
        .define("name", Type.STRING, NO_DEFAULT, "The name.")
        .define("tasks.max", Type.INT, 1, "How many.", validator=between(1))
        .define("mode", Type.STRING, "bulk", "How.", validator=one_of("bulk", "incrementing"))
        .define("flag", Type.BOOLEAN, False, "Whether.")
        .define("tables", Type.LIST, "", "Which.")
        .define("secret", Type.PASSWORD, None, "The password.")
    )


def test_values_come_as_text_numbers_or_booleans(definition: ConfigDef) -> None:
    as_text = definition.parse({"name": "a", "tasks.max": " 2 ", "flag": "TRUE", "tables": "a, b"})
    as_json = definition.parse({"name": "a", "tasks.max": 2, "flag": True, "tables": ["a", "b"]})
    assert as_text == as_json
    assert as_text["tables"] == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tasks.max": "two"}, "Invalid value two for configuration tasks.max: Not a number of type INT"),
        ({"tasks.max": "1_0"}, "Invalid value 1_0 for configuration tasks.max: Not a number of type INT"),
        ({"tasks.max": "3000000000"}, "Invalid value 3000000000 for configuration tasks.max: Not a number of type INT"),
        ({"tasks.max": 0}, "Invalid value 0 for configuration tasks.max: Value must be at least 1"),
        ({"flag": "yes"}, "Invalid value yes for configuration flag: Expected value to be either true or false"),
        ({"mode": "x"}, "Invalid value x for configuration mode: String must be one of: bulk, incrementing"),
    ],
)
def test_a_bad_value_is_refused_with_its_key(definition: ConfigDef, given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        definition.parse({"name": "a", **given})
    assert str(caught.value) == message
    assert list(caught.value.errors) == list(given)


def test_every_fault_is_named_at_once(definition: ConfigDef) -> None:
    with pytest.raises(ConfigError) as caught:
        definition.parse({"tasks.max": "x", "flag": "y"})
    assert list(caught.value.errors) == ["name", "tasks.max", "flag"]


def test_a_password_never_prints_itself(definition: ConfigDef) -> None:
    values = definition.parse({"name": "a", "secret": "hunter2"})
    assert values["secret"].value == "hunter2"
    assert "hunter2" not in repr(values)
    assert values["secret"] == Password("hunter2")


def test_lists_that_must_not_be_empty_are_refused_in_kafkas_words() -> None:
    definition = ConfigDef().define("names", Type.LIST, NO_DEFAULT, "", validator=non_empty_values)
    with pytest.raises(ConfigError, match="'names' must not be empty"):
        definition.parse({"names": ""})
    with pytest.raises(ConfigError, match="'names' values must not be empty"):
        definition.parse({"names": "a,,b"})


def test_a_list_with_empty_items_may_still_not_be_empty() -> None:
    definition = ConfigDef().define("names", Type.LIST, NO_DEFAULT, "", validator=non_empty_list)
    assert definition.parse({"names": "a,,b"}) == {"names": ["a", "", "b"]}
    with pytest.raises(ConfigError, match=r"Invalid value \[\] for configuration names: Empty list"):
        definition.parse({"names": ""})
