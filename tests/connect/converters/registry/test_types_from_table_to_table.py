"""Every type of PostgreSQL from table to table with the converters of a registry, as tests/jdbc/test_type_matrix.py has
it for JsonConverter."""

from collections.abc import Iterator

import pytest

from headrace.connect.api import Converter
from headrace.connect.runtime.host.plugins import converter_class
from headrace.supervisor.postgres import PostgresServer
from headrace.testing.postgres import Database
from tests.jdbc.type_matrix import GROUPS, cases_of, differing, round_trip, type_database
from tests.registry.serving import Served

CLASSES = {
    "avro": "io.confluent.connect.avro.AvroConverter",
    "json_schema": "io.confluent.connect.json.JsonSchemaConverter",
}


@pytest.fixture(scope="module")
def types(postgres: PostgresServer) -> Iterator[Database]:
    with type_database(postgres, "converted") as database:
        yield database


def converter(name: str, registry: Served) -> Converter:
    made = converter_class(CLASSES[name], "value.converter")()
    made.configure({"schema.registry.url": registry.url}, is_key=False)
    return made


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("profile", ["default", "exact"])
@pytest.mark.parametrize("name", CLASSES)
def test_every_type_comes_back_by_a_registry_too(
    types: Database, registry: Served, name: str, profile: str, group: str
) -> None:
    cases, schema = cases_of(profile, group), f"{name}_{profile}_{group}"
    round_trip(types, schema, profile, cases, converter(name, registry))
    with types.connect() as connection:
        assert differing(connection, schema, profile, "same", cases) == []
        assert differing(connection, schema, profile, "made", cases) == []
