"""JsonConverter's configuration."""

from typing import Any

import orjson

from headrace.connect.api import ConfigDef, ConfigError, ConnectSchema, DataError, Importance, Type, between
from headrace.connect.converters.json.form import Form
from headrace.connect.converters.json.schema_form import schema_from_json
from headrace.connect.converters.kind import converter_config


def decimal_format(name: str, value: Any) -> None:
    if str(value).upper() not in ("BASE64", "NUMERIC"):
        raise ConfigError(
            f"Invalid value {value} for configuration {name}: String must be one of (case insensitive): BASE64, NUMERIC"
        )


def json_config() -> ConfigDef:
    return (
        converter_config()
        .define(
            "schemas.enable",
            Type.BOOLEAN,
            True,
            "Include schemas within each of the serialized values and keys.",
            importance=Importance.HIGH,
            group="Schemas",
            display_name="Enable Schemas",
        )
        .define(
            "schemas.cache.size",
            Type.INT,
            1000,
            "The maximum number of schemas that can be cached in this converter instance.",
            importance=Importance.HIGH,
            group="Schemas",
            display_name="Schema Cache Size",
            validator=between(1),
        )
        .define(
            "decimal.format",
            Type.STRING,
            "BASE64",
            "How decimals are written, case insensitive: BASE64 (Java's default) or NUMERIC.",
            importance=Importance.LOW,
            group="Serialization",
            display_name="Decimal Format",
            validator=decimal_format,
        )
        .define(
            "replace.null.with.default",
            Type.BOOLEAN,
            True,
            "Whether a null in a field that has a default is written and read as that default.",
            importance=Importance.LOW,
            group="Serialization",
            display_name="Replace null with default",
        )
        .define(
            "schema.content",
            Type.STRING,
            None,
            "The schema of all messages that are read, as JSON; a schema within a message is then not looked for. "
            "Applies where schemas.enable is true, and to what is read alone.",
            importance=Importance.HIGH,
            group="Schemas",
            display_name="Schema Content",
            validator=lambda name, value: _check_content(value),
        )
    )


def _check_content(text: str | None) -> None:
    schema_content(text, Form())


def schema_content(text: str | None, form: Form) -> ConnectSchema | None:
    """The schema that `schema.content` is; None where it is empty or null. Raises ConfigError."""
    if not (text or "").strip():
        return None
    try:
        return schema_from_json(orjson.loads(text or ""), form)
    except (DataError, orjson.JSONDecodeError) as error:
        message = f"Invalid value {text} for configuration schema.content: {error}"
        raise ConfigError(message, {"schema.content": [message]}) from error
