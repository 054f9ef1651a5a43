"""Configuration over the bare wire: describe a resource, alter it, wait until a change is seen."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kafka.protocol.admin.configs import AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest

from tests.contract.wire_client import WireClient

TOPIC, BROKER = 2, 4
SET, DELETE, APPEND, SUBTRACT = range(4)
OF_TOPIC, OF_BROKER, OF_CLUSTER, STATIC, DEFAULT = 1, 2, 3, 4, 5

Op = tuple[str, int, str | None]
"""Key, operation, value."""


class Seen(NamedTuple):
    """What a test compares of a key."""

    value: str | None
    source: int
    synonyms: list[tuple[str, str | None, int]]


def describe(
    wire: WireClient, kind: int, name: str, keys: Sequence[str] | None = None, *, version: int = 4, **more: bool
) -> Any:
    """The result for the one resource; with synonyms unless told."""
    asked = DescribeConfigsRequest.DescribeConfigsResource(
        resource_type=kind, resource_name=name, configuration_keys=keys
    )
    fields = {"include_synonyms": True, "include_documentation": False, **more}
    (result,) = wire.call(DescribeConfigsRequest(resources=[asked], **fields), version).results
    assert (result.resource_type, result.resource_name) == (kind, name)
    return result


def seen(wire: WireClient, kind: int, name: str, key: str) -> Seen | None:
    """One key as it is now; None where it is not told."""
    for config in describe(wire, kind, name, [key]).configs:
        synonyms = [(one.name, one.value, one.source) for one in config.synonyms]
        return Seen(config.value, config.config_source, synonyms)
    return None


def await_seen(wire: WireClient, kind: int, name: str, key: str, expected: Seen | None) -> None:
    """Apache Kafka answers before its broker acts on what was altered."""
    deadline = time.monotonic() + 20
    while (found := seen(wire, kind, name, key)) != expected:
        assert time.monotonic() < deadline, f"{key} is {found}, not {expected}"
        time.sleep(0.02)


def await_error(ask: Callable[[], int], expected: int) -> None:
    """Ask until the answer is this error: Apache Kafka tells a configuration before its logs act on it."""
    deadline = time.monotonic() + 20
    while (found := ask()) != expected:
        assert time.monotonic() < deadline, f"error {found}, not {expected}"
        time.sleep(0.02)


def alter(
    wire: WireClient, *resources: tuple[int, str, Sequence[Op]], version: int = 1, validate_only: bool = False
) -> list[tuple[int, str | None]]:
    """IncrementalAlterConfigs: error and text of each resource."""
    resource = IncrementalAlterConfigsRequest.AlterConfigsResource
    asked = [
        resource(
            resource_type=kind,
            resource_name=name,
            configs=[resource.AlterableConfig(name=key, config_operation=op, value=value) for key, op, value in ops],
        )
        for kind, name, ops in resources
    ]
    answer = wire.call(IncrementalAlterConfigsRequest(resources=asked, validate_only=validate_only), version)
    assert [(one.resource_type, one.resource_name) for one in answer.responses] == [
        (kind, name) for kind, name, _ in resources
    ]
    return [(one.error_code, one.error_message) for one in answer.responses]


def replace(
    wire: WireClient,
    *resources: tuple[int, str, Sequence[tuple[str, str | None]]],
    version: int = 2,
    validate_only: bool = False,
) -> list[tuple[int, str | None]]:
    """AlterConfigs: error and text of each resource."""
    resource = AlterConfigsRequest.AlterConfigsResource
    asked = [
        resource(
            resource_type=kind,
            resource_name=name,
            configs=[resource.AlterableConfig(name=key, value=value) for key, value in configs],
        )
        for kind, name, configs in resources
    ]
    answer = wire.call(AlterConfigsRequest(resources=asked, validate_only=validate_only), version)
    return [(one.error_code, one.error_message) for one in answer.responses]
