"""The stages between a task and Kafka, made of its config: transformation chain and converters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from headrace.connect.api import Batch, ConfigError, Converter, Predicate, Transformation
from headrace.connect.runtime.host.chain_config import parse_aliases, parse_condition
from headrace.connect.runtime.host.conditional import Conditional, unconditional
from headrace.connect.runtime.host.errors import Stage, at_stage
from headrace.connect.runtime.host.headers import Headers
from headrace.connect.runtime.host.plugins import (
    converter_class,
    header_converter_class,
    predicate_class,
    transform_class,
)

Properties = Mapping[str, str]
DEFAULT_HEADER_CONVERTER: Final = "org.apache.kafka.connect.storage.SimpleHeaderConverter"


@dataclass(frozen=True, slots=True)
class Stages:
    """What a task's records pass through."""

    transforms: Sequence[Transformation]
    key: Converter
    value: Converter
    headers: Headers

    def transform(self, batch: Batch) -> list[Batch]:
        """The batch after all transformations; rows dropped and batches split as they decide. Raises StageError."""
        batches = [batch]
        for transformation in self.transforms:
            with at_stage(Stage.TRANSFORMATION, unconditional(transformation)):
                batches = [made for given in batches for made in transformation.apply_batch(given) if len(made)]
        return batches

    def close(self) -> None:
        for transformation in self.transforms:
            transformation.close()


def make_stages(worker: Properties, connector: Properties) -> Stages:
    """The stages of a connector's tasks. Raises ConfigError that names the key at fault."""
    return Stages(
        _transforms(connector),
        _converter("key.converter", worker, connector),
        _converter("value.converter", worker, connector),
        _headers(worker, connector),
    )


def _converter(key: str, worker: Properties, connector: Properties) -> Converter:
    """The connector's converter with its own settings, else the worker's with the worker's (as Java's Worker does)."""
    owner = connector if connector.get(key) else worker
    name = owner.get(key)
    if not name:
        raise ConfigError(f'Missing required configuration "{key}" which has no default value.')
    converter = converter_class(str(name), key)()
    converter.configure(_below(f"{key}.", owner), is_key=key == "key.converter")
    return converter


def _headers(worker: Properties, connector: Properties) -> Headers:
    key = "header.converter"
    owner = connector if connector.get(key) else worker
    converter = header_converter_class(str(owner.get(key) or DEFAULT_HEADER_CONVERTER), key)()
    converter.configure_headers(_below(f"{key}.", owner))
    return Headers(converter)


def _transforms(connector: Properties) -> list[Transformation]:
    return [_transform(alias, connector) for alias in parse_aliases("transforms", connector)]


def _transform(alias: str, connector: Properties) -> Transformation:
    properties = _below(f"transforms.{alias}.", connector)
    transformation = transform_class(_type(f"transforms.{alias}.type", connector), f"transforms.{alias}.type")()
    condition = parse_condition(alias, connector)
    own = {key: value for key, value in properties.items() if key not in ("type", "predicate", "negate")}
    transformation.configure(own)
    if condition is None:
        return transformation
    return Conditional(transformation, _predicate(condition.predicate, connector), negate=condition.negate)


def _predicate(alias: str, connector: Properties) -> Predicate:
    """Each transformation has a predicate of its own, as in Java."""
    predicate = predicate_class(_type(f"predicates.{alias}.type", connector), f"predicates.{alias}.type")()
    properties = _below(f"predicates.{alias}.", connector)
    properties.pop("type")
    predicate.configure(properties)
    return predicate


def _type(key: str, connector: Properties) -> str:
    if not connector.get(key):
        raise ConfigError(f'Missing required configuration "{key}" which has no default value.')
    return str(connector[key])


def _below(prefix: str, properties: Properties) -> dict[str, str]:
    return {key[len(prefix) :]: value for key, value in properties.items() if key.startswith(prefix)}
