"""Several files as one: -f a -f b, override files, include, extends, anchors."""

import pytest

from headrace.compose import ComposeError, PostgresSettings, PublishedPort, Volume
from tests.compose.conftest import Folder, notes_of

BASE = """\
services:
  db:
    image: postgres:15
    command: postgres -c wal_level=logical
    environment:
      POSTGRES_USER: a
      POSTGRES_PASSWORD: a
    ports: ["5432:5432"]
    volumes: ["data:/var/lib/postgresql/data", "./init:/docker-entrypoint-initdb.d"]
volumes:
  data:
"""


def test_a_later_file_adds_to_lists_replaces_values_and_merges_environments(folder: Folder) -> None:
    folder.write("a.yaml", BASE)
    folder.write(
        "b.yaml",
        """\
services:
  db:
    image: postgres:16
    environment:
      - POSTGRES_PASSWORD=b
    ports: ["5433:5432"]
    volumes: ["other:/var/lib/postgresql/data"]
volumes:
  other: {}
""",
    )
    (db,) = folder.plan("a.yaml", "b.yaml").services
    assert db.image == "postgres:16"
    assert db.environment == {"POSTGRES_USER": "a", "POSTGRES_PASSWORD": "b"}
    assert db.ports == (PublishedPort("", 5432, 5432), PublishedPort("", 5433, 5432))
    assert [(volume.source.rpartition("/")[2], volume.target) for volume in db.volumes] == [
        ("init", "/docker-entrypoint-initdb.d"),
        ("other", "/var/lib/postgresql/data"),
    ]
    assert isinstance(db.settings, PostgresSettings)
    assert db.settings.parameters == {"wal_level": "logical"}


def test_a_key_with_nothing_below_it_changes_nothing(folder: Folder) -> None:
    folder.write("a.yaml", BASE)
    folder.write("b.yaml", "services:\n  db:\n    ports:\n    environment:\n")
    (db,) = folder.plan("a.yaml", "b.yaml").services
    assert db.environment["POSTGRES_USER"] == "a" and len(db.ports) == 1


def test_override_replaces_and_reset_takes_away(folder: Folder) -> None:
    folder.write("a.yaml", BASE)
    folder.write(
        "b.yaml",
        'services:\n  db:\n    ports: !override ["5433:5432"]\n    command: !reset null\n    volumes: !reset []\n',
    )
    (db,) = folder.plan("a.yaml", "b.yaml").services
    assert (db.ports, db.command, db.volumes) == ((PublishedPort("", 5433, 5432),), (), ())


def test_the_default_file_and_its_override_are_found_in_a_parent_folder(folder: Folder) -> None:
    folder.write("docker-compose.yml", BASE)
    folder.write("docker-compose.override.yml", "services:\n  db:\n    image: postgres:17\n")
    below = folder.path / "a" / "b"
    below.mkdir(parents=True)
    plan = Folder(below).plan()
    assert plan.services[0].image == "postgres:17"
    assert [file.name for file in plan.files] == ["docker-compose.yml", "docker-compose.override.yml"]


def test_no_file_at_all_names_what_was_looked_for(folder: Folder) -> None:
    (fault,) = folder.faults()
    assert "There is no compose file here (compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml)" in fault


def test_a_file_that_is_not_there_is_named(folder: Folder) -> None:
    (fault,) = folder.faults("no.yaml")
    assert fault == f"no.yaml: There is no compose file {folder.path}/no.yaml: name another with -f."


@pytest.mark.parametrize(
    ("project", "environment", "name", "expected"),
    [
        ("given", {"COMPOSE_PROJECT_NAME": "shell"}, "name: file\n", "given"),
        (None, {"COMPOSE_PROJECT_NAME": "shell"}, "name: file\n", "shell"),
        (None, {}, "name: file-${N:-1}\n", "file-1"),
        (None, {}, "", "my_folder2"),
    ],
)
def test_the_project_is_named_by_option_shell_file_or_folder(
    folder: Folder, project: str | None, environment: dict[str, str], name: str, expected: str
) -> None:
    folder.write("My_Folder 2/compose.yaml", name + BASE)
    plan = Folder(folder.path / "My_Folder 2").plan(project=project, **environment)
    assert plan.name == expected
    assert plan.services[0].container_name == f"{expected}-db-1"


def test_a_name_that_docker_does_not_allow_is_refused(folder: Folder) -> None:
    folder.write("compose.yaml", f"{BASE}name: My Shop\n")
    with pytest.raises(ComposeError, match=r"compose.yaml:12: 'My Shop' is no project's name: write lower-case"):
        folder.plan(project=None)


def test_anchors_and_merge_keys_share_settings(folder: Folder) -> None:
    (one, two) = folder.read(
        """\
x-common: &common
  image: postgres:16
  environment: &env
    POSTGRES_PASSWORD: x
services:
  one:
    <<: *common
  two:
    <<: *common
    environment:
      <<: [*env]
      POSTGRES_DB: two
"""
    ).services
    assert one.environment == {"POSTGRES_PASSWORD": "x"}
    assert two.environment == {"POSTGRES_PASSWORD": "x", "POSTGRES_DB": "two"}


def test_extends_takes_a_service_of_this_file_or_of_another(folder: Folder) -> None:
    folder.write("other/base.yaml", BASE.replace("image: postgres:15", "image: postgres:15\n    env_file: db.env"))
    folder.write("other/db.env", "POSTGRES_DB=from-there\n")
    plan = folder.read(
        """\
services:
  db:
    extends:
      file: other/base.yaml
      service: db
    environment:
      POSTGRES_USER: mine
  copy:
    extends: db
    ports: !override ["5433:5432"]
volumes:
  data:
"""
    )
    db, copy = plan.service("db"), plan.service("copy")
    assert db.environment == {"POSTGRES_DB": "from-there", "POSTGRES_USER": "mine", "POSTGRES_PASSWORD": "a"}
    assert copy.environment == db.environment
    assert copy.ports == (PublishedPort("", 5433, 5432),)
    init = folder.path / "other" / "init"
    assert Volume("bind", str(init), "/docker-entrypoint-initdb.d") in db.volumes


@pytest.mark.parametrize(
    ("extends", "words"),
    [
        ("{service: nobody}", "services.db extends nobody, and there is no such service"),
        ("{service: dbs}", "did you mean db?"),
        ("{service: db}", "services.db extends itself"),
        ("{service: db, file: no.yaml}", "There is no compose file"),
        ("{servise: db}", "servise: is no key in services.db.extends; did you mean service?"),
    ],
)
def test_what_cannot_be_extended_has_its_line(folder: Folder, extends: str, words: str) -> None:
    faults = folder.faults_of(f"services:\n  db:\n    image: postgres:16\n    extends: {extends}\n")
    assert any(fault.startswith("compose.yaml:4: ") and words in fault for fault in faults), faults


def test_an_included_file_brings_its_services_with_its_own_folder(folder: Folder) -> None:
    folder.write("db/compose.yaml", BASE.replace("image: postgres:15", "image: postgres:${TAG}"))
    folder.write("db/.env", "TAG=14\n")
    (folder.path / "db" / "init").mkdir()
    plan = folder.read(
        "include:\n  - db/compose.yaml\nservices:\n  app:\n    image: python:3.11\n    depends_on: [db]\n"
    )
    assert [(service.name, service.image) for service in plan.services] == [
        ("db", "postgres:14"),
        ("app", "python:3.11"),
    ]
    assert any(volume.source == str(folder.path / "db" / "init") for volume in plan.service("db").volumes)


def test_an_included_service_of_the_same_name_is_refused(folder: Folder) -> None:
    folder.write("db/compose.yaml", BASE)
    faults = folder.faults_of("include: [db/compose.yaml]\nservices:\n  db:\n    image: postgres:16\n")
    assert faults[0].startswith("compose.yaml:3: services.db is in the included db/compose.yaml too: rename one")


def test_a_file_that_includes_itself_is_refused(folder: Folder) -> None:
    (fault,) = folder.faults_of(f"include: [compose.yaml]\n{BASE}")
    assert fault == "compose.yaml:1: include: compose.yaml is read already: it may be included once, not by itself."


def test_documents_of_one_file_are_merged(folder: Folder) -> None:
    plan = folder.read(f"{BASE}---\nservices:\n  db:\n    image: postgres:16\n")
    assert plan.services[0].image == "postgres:16"


def test_profiles_leave_services_out_unless_asked_for(folder: Folder) -> None:
    text = f"{BASE.replace('    ports', f'    profiles: [full]{chr(10)}    ports')}"
    folder.write("compose.yaml", f"services:\n  app:\n    image: python:3.11\n---\n{text}")
    assert [service.name for service in folder.plan().services] == ["app"]
    assert notes_of(folder.plan(), "db") == ["is left out: its profile is asked for with COMPOSE_PROFILES=full."]
    assert [service.name for service in folder.plan(COMPOSE_PROFILES="full").services] == ["app", "db"]
    folder.write("b.yaml", "services:\n  app:\n    depends_on: [db]\n")
    (fault,) = folder.faults("compose.yaml", "b.yaml")
    assert "which its profile leaves out: set COMPOSE_PROFILES=full" in fault
