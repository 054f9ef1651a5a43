"""ConfigDef: the typed keys of a server or a plug-in, as `org.apache.kafka.common.config.ConfigDef` has them.

Owns: parsing of raw values (text from files, JSON from REST), defaults, validators, and what `/config/validate` shows.
Sans-IO. Error texts follow Apache Kafka's, so that what a user finds on the web about a message still applies.
"""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self


class Type(enum.Enum):
    """The type of a key's value; the names are Apache Kafka's."""

    BOOLEAN = "BOOLEAN"
    STRING = "STRING"
    INT = "INT"
    SHORT = "SHORT"
    LONG = "LONG"
    DOUBLE = "DOUBLE"
    LIST = "LIST"
    CLASS = "CLASS"
    PASSWORD = "PASSWORD"


class Importance(enum.Enum):
    """How much a key matters to most users."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class ConfigError(ValueError):
    """A configuration that cannot be used; the text names the key, the value and what would do.

    `errors` maps a key to its messages, where there is a key.
    """

    def __init__(self, message: str, errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.errors: dict[str, list[str]] = {key: list(texts) for key, texts in (errors or {}).items()}


class Password:
    """A secret that never prints itself (invariant 7); `.value` is the text."""

    __slots__ = ("value",)
    HIDDEN: Final = "[hidden]"

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return self.HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Password) and other.value == self.value

    def __hash__(self) -> int:
        return hash(("Password", self.value))


class _NoDefault:
    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = _NoDefault()
"""The default of a key that must be given."""

Validator = Callable[[str, Any], None]
"""Called with (key, parsed value); raises ConfigError where the value will not do."""

Recommender = Callable[[str, Mapping[str, Any]], list[Any]]
"""Called with (key, parsed values of the other keys); gives the values that would do."""


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One key: what REST shows of it as `definition`."""

    name: str
    type: Type
    default: Any
    documentation: str
    importance: Importance = Importance.MEDIUM
    validator: Validator | None = None
    group: str | None = None
    order: int = -1
    width: str = "NONE"
    display_name: str = ""
    dependents: tuple[str, ...] = ()
    recommender: Recommender | None = None
    internal: bool = False

    @property
    def required(self) -> bool:
        return self.default is NO_DEFAULT


@dataclass(slots=True)
class ConfigValue:
    """One key with its value: what REST shows as `value`."""

    name: str
    value: Any = None
    recommended_values: list[Any] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    visible: bool = True


_RANGES: Final = {
    Type.SHORT: (-(2**15), 2**15 - 1),
    Type.INT: (-(2**31), 2**31 - 1),
    Type.LONG: (-(2**63), 2**63 - 1),
}


def _invalid(name: str, value: Any, why: str) -> ConfigError:
    shown = Password.HIDDEN if isinstance(value, Password) else value
    return ConfigError(f"Invalid value {shown} for configuration {name}: {why}")


def parse_type(name: str, value: Any, kind: Type) -> Any:
    """The value of key `name` as `kind`; None stays None.

    Text is trimmed; JSON numbers and booleans are taken as their text. Raises ConfigError with Apache Kafka's words.
    """
    if value is None or (kind is Type.PASSWORD and isinstance(value, Password)):
        return value
    text = value.strip() if isinstance(value, str) else value
    match kind:
        case Type.BOOLEAN:
            return _parse_boolean(name, text)
        case Type.INT | Type.SHORT | Type.LONG:
            return _parse_integer(name, text, kind)
        case Type.DOUBLE:
            return _parse_double(name, text)
        case Type.LIST:
            return _parse_list(name, text)
        case Type.PASSWORD:
            return Password(text if isinstance(text, str) else str(text))
        case Type.STRING | Type.CLASS:
            if isinstance(text, bool):
                return "true" if text else "false"
            if isinstance(text, (str, int, float)):
                return str(text)
    raise _invalid(name, value, f"Expected value to be a {kind.value.lower()}, but it was a {type(value).__name__}")


def _parse_boolean(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _invalid(name, value, "Expected value to be either true or false")


def _parse_integer(name: str, value: Any, kind: Type) -> int:
    low, high = _RANGES[kind]
    try:
        number = int(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None or not low <= number <= high or (isinstance(value, str) and "_" in value):
        raise _invalid(name, value, f"Not a number of type {kind.value}")
    return number


def _parse_double(name: str, value: Any) -> float:
    try:
        if not isinstance(value, bool):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise _invalid(name, value, "Not a number of type DOUBLE")


def _parse_list(name: str, value: Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value else []
    raise _invalid(name, value, "Expected a comma separated list.")


class ConfigDef:
    """A set of keys; `define` chains."""

    def __init__(self, keys: Iterable[ConfigKey] = ()) -> None:
        self.keys: dict[str, ConfigKey] = {key.name: key for key in keys}

    def define(self, name: str, type: Type, default: Any, documentation: str, **more: Any) -> Self:
        """Add a key; `more` are the other fields of ConfigKey. A default given as text is parsed."""
        if name in self.keys:
            raise ValueError(f"configuration {name} is defined twice")
        if default is not NO_DEFAULT:
            default = parse_type(name, default, type)
        more.setdefault("display_name", name)
        more.setdefault("order", len(self.keys) + 1 if more.get("group") else -1)
        self.keys[name] = ConfigKey(name, type, default, documentation, **more)
        return self

    def merge(self, other: "ConfigDef") -> "ConfigDef":
        """A new definition with the keys of both; those of `other` win."""
        return ConfigDef([*(key for key in self.keys.values() if key.name not in other.keys), *other.keys.values()])

    def parse(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Typed values of all keys, defaults filled in; unknown keys are left to the caller.

        Raises ConfigError that lists every fault, one a line, with `errors` by key.
        """
        values = self.validate(properties)
        faults = {value.name: value.errors for value in values if value.errors}
        if faults:
            raise ConfigError("\n".join(text for texts in faults.values() for text in texts), faults)
        return {value.name: value.value for value in values}

    def validate(self, properties: Mapping[str, Any]) -> list[ConfigValue]:
        """Every key with its value, errors and recommended values; never raises."""
        values = [self._value(key, properties) for key in self.keys.values()]
        parsed = {value.name: value.value for value in values}
        for value in values:
            recommender = self.keys[value.name].recommender
            if recommender is not None:
                value.recommended_values = recommender(value.name, parsed)
        return values

    def unknown(self, properties: Mapping[str, Any]) -> list[str]:
        """The keys of `properties` that are not defined here, in their order."""
        return [name for name in properties if name not in self.keys]

    @staticmethod
    def _value(key: ConfigKey, properties: Mapping[str, Any]) -> ConfigValue:
        result = ConfigValue(key.name)
        try:
            if properties.get(key.name) is not None:
                result.value = parse_type(key.name, properties[key.name], key.type)
            elif key.required:
                raise ConfigError(f'Missing required configuration "{key.name}" which has no default value.')
            else:
                result.value = key.default
            if key.validator is not None:
                key.validator(key.name, result.value)
        except ConfigError as error:
            result.errors.append(str(error))
        return result


def between(low: float | None = None, high: float | None = None) -> Validator:
    """A validator of numbers from `low` to `high`, both included."""

    def check(name: str, value: Any) -> None:
        if value is None:
            raise _invalid(name, value, "Value must be non-null")
        if low is not None and value < low:
            raise _invalid(name, value, f"Value must be at least {low}")
        if high is not None and value > high:
            raise _invalid(name, value, f"Value must be no more than {high}")

    return check


def one_of(*allowed: Any) -> Validator:
    """A validator of a closed set of values."""

    def check(name: str, value: Any) -> None:
        if value not in allowed:
            raise _invalid(name, value, f"String must be one of: {', '.join(str(item) for item in allowed)}")

    return check


def non_empty(name: str, value: Any) -> None:
    """A validator: the text must not be empty."""
    if value is not None and value == "":
        raise _invalid(name, value, "String must be non-empty")


def non_empty_values(name: str, value: Any) -> None:
    """A validator of lists: at least one item, and none of them empty (`ValidList.anyNonDuplicateValues`)."""
    if value is None:
        return
    if not value:
        raise ConfigError(f"Configuration '{name}' must not be empty. Valid values include: any non-empty value")
    if "" in value:
        raise ConfigError(f"Configuration '{name}' values must not be empty.")


def non_empty_list(name: str, value: Any) -> None:
    """A validator of lists: at least one item, be it empty (`NonEmptyListValidator` of the transforms)."""
    if value == []:
        raise _invalid(name, "[]", "Empty list")
