"""What a connector says of converters is looked at when it is posted."""

from typing import Any

import pytest

from headrace.config import ConfigValue
from headrace.connect.runtime.host.converter_config import converter_pairs

JSON = "org.apache.kafka.connect.json.JsonConverter"


def found(**settings: str) -> tuple[dict[str, ConfigValue], dict[str, ConfigValue]]:
    """What is said of the converters' own keys, and of the keys that name them."""
    properties = {name.replace("__", "."): value for name, value in settings.items()}
    names = ("key.converter", "value.converter", "header.converter")
    values = {name: ConfigValue(name, properties.get(name)) for name in names}
    return {value.name: value for _, value in converter_pairs(properties, values.values())}, values


def test_a_connector_that_names_no_converter_has_none_of_their_keys() -> None:
    assert found(key__converter__x="1")[0] == {}


def test_each_converter_has_its_keys_with_values_and_defaults() -> None:
    keys, _ = found(value__converter=JSON, value__converter__schemas__enable="false", key__converter="string")
    assert keys["value.converter.schemas.enable"].value is False
    assert keys["value.converter.decimal.format"].value == "BASE64"
    assert keys["key.converter.converter.encoding"].value == "UTF-8"
    assert keys["value.converter.converter.type"].value == "value"
    assert keys["key.converter.converter.type"].value == "key"
    assert not any(value.errors for value in keys.values())


@pytest.mark.parametrize(
    ("key", "value"), [("decimal.format", "x"), ("schemas.cache.size", "many"), ("schema.content", "{}")]
)
@pytest.mark.parametrize("role", ["key", "value", "header"])
def test_a_setting_that_cannot_be_is_refused_under_its_key(role: str, key: str, value: str) -> None:
    settings: Any = {f"{role}.converter": JSON, f"{role}.converter.{key}": value}
    keys, _ = found(**settings)
    (errors,) = [found.errors for found in keys.values() if found.errors]
    assert f"for configuration {key}" in errors[0] and keys[f"{role}.converter.{key}"].errors == errors


@pytest.mark.parametrize("role", ["key", "value", "header"])
def test_a_converter_that_there_is_not_is_an_error_of_the_key_that_names_it(role: str) -> None:
    keys, values = found(**{f"{role}.converter": "a.Nowhere"})
    assert keys == {}
    assert f"Invalid value a.Nowhere for configuration {role}.converter" in values[f"{role}.converter"].errors[0]


def test_a_converter_of_values_alone_is_no_header_converter() -> None:
    _, values = found(header__converter="io.confluent.connect.avro.AvroConverter")
    assert "HeaderConverter" in values["header.converter"].errors[0]
