"""Types that the embedded PostgreSQL does not have (xml, and those of extensions) from table to table, on Debian's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import FAST_FOR_TESTS, PostgresServer
from headrace.supervisor.programs import NOBODY, PostgresPrograms
from headrace.supervisor.ready import free_port
from headrace.testing.postgres import PASSWORD, USER
from tests.conftest import missing
from tests.jdbc.test_type_matrix import json
from tests.jdbc.type_cases import EXTENSIONS
from tests.jdbc.type_matrix import differing, kinds, round_trip, type_database

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
SETUP = "".join(f"CREATE EXTENSION {name};" for name in ("hstore", "citext", "ltree", "cube"))


@pytest.fixture(scope="module")
def debian() -> Iterator[PostgresServer]:
    if not INSTALLED:
        missing("there is no PostgreSQL of Debian's with extensions: apt-get install postgresql")
    programs = PostgresPrograms(INSTALLED[-1].parent, NOBODY if os.geteuid() == 0 else None)
    with TemporaryFolder("headrace-postgres-") as folder:
        place = folder.path / "postgres"
        server = PostgresServer(place, free_port(), USER, PASSWORD, "postgres", FAST_FOR_TESTS, programs)
        server.lifeline = folder.lifeline
        with server:
            yield server


def test_types_of_extensions_and_xml_come_back_equal(debian: PostgresServer) -> None:
    with type_database(debian, "extensions", SETUP) as database:
        for profile in ("default", "exact"):
            batch = round_trip(database, f"as_{profile}", profile, EXTENSIONS, json())
            assert kinds(batch) == ["STRING"] * len(EXTENSIONS)
            with database.connect() as connection:
                assert differing(connection, f"as_{profile}", profile, "same", EXTENSIONS) == []
                assert differing(connection, f"as_{profile}", profile, "made", EXTENSIONS) == []
