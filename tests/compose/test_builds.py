"""`build:` and Dockerfiles."""

import pytest

from headrace.compose import ConnectSettings, PostgresSettings, ServiceKind
from headrace.compose.dockerfile import DockerfileError, instructions, read_dockerfile
from headrace.compose.plugins import BRINGS, describe, plugin_note
from tests.compose.conftest import Folder, notes_of


def test_instructions_are_joined_over_lines_and_comments() -> None:
    text = "# syntax=1\nFROM a AS b\n\nRUN one && \\\n# between\n  two\nrun <<EOF\nthree\nEOF\nENV A=1"
    assert list(instructions(text)) == [
        (2, "FROM", "a AS b"),
        (4, "RUN", "one &&  two"),
        (7, "RUN", "<<EOF ; three"),
        (10, "ENV", "A=1"),
    ]


def test_arguments_environment_and_stages_are_followed() -> None:
    stage = read_dockerfile(
        'ARG TAG=7.3.0\nFROM confluentinc/cp-kafka-connect:${TAG} AS base\nENV A=1 B="two words" C=$A\nENV D old form\n'
        'FROM scratch AS other\nFROM base\nENV E=${A}5\nCMD ["/etc/confluent/docker/run"]\n',
        {"TAG": "7.6.0"},
    )
    assert stage.image == "confluentinc/cp-kafka-connect:7.6.0"
    assert stage.environment == {"A": "1", "B": "two words", "C": "", "D": "old form", "E": "15"}
    assert stage.command == ("/etc/confluent/docker/run",)


def test_a_target_chooses_its_stage() -> None:
    assert read_dockerfile("FROM a AS one\nFROM b", {}, "one").image == "a"
    with pytest.raises(DockerfileError, match=r"there is no stage on; did you mean one\?"):
        read_dockerfile("FROM a AS one\nFROM b", {}, "on")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("FORM a", 1, r"FORM is no instruction; did you mean FROM\?"),
        ("FROM a\nfoo bar", 2, "foo is no instruction: correct it"),
        ("RUN a", 1, "RUN comes before FROM"),
        ("# nothing", 1, "there is no FROM"),
    ],
)
def test_a_faulty_dockerfile_has_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(DockerfileError, match=words) as caught:
        read_dockerfile(text, {})
    assert caught.value.line == line


@pytest.mark.parametrize(
    "script",
    [
        "confluent-hub install --no-prompt confluentinc/kafka-connect-jdbc:10.2.2",
        "confluent-hub install confluentinc/kafka-connect-jdbc:10.2.2 --no-prompt --component-dir /usr/share/x",
        "cd /x; confluent connect plugin install --force confluentinc/kafka-connect-jdbc:10.2.2",
    ],
)
def test_each_way_of_installing_a_plugin_is_seen(script: str) -> None:
    assert read_dockerfile(f"FROM a\nRUN {script}", {}).plugins == [("kafka-connect-jdbc", "10.2.2")]


def test_plugins_are_ours_where_this_installation_has_their_classes() -> None:
    name, classes = "kafka-connect-avro-converter", BRINGS["kafka-connect-avro-converter"]
    assert plugin_note(name, "7.3.0", classes).ours == "io.confluent.connect.avro.AvroConverter"
    without = plugin_note(name, "7.3.0", ())
    assert without.ours == ""
    assert "a connector that names io.confluent.connect.avro.AvroConverter is refused" in describe(without)


WORKER = "".join(
    f"      CONNECT_{name}: x\n"
    for name in (
        "BOOTSTRAP_SERVERS",
        "GROUP_ID",
        "CONFIG_STORAGE_TOPIC",
        "OFFSET_STORAGE_TOPIC",
        "STATUS_STORAGE_TOPIC",
    )
) + "".join(f"      CONNECT_{name}: x\n" for name in ("KEY_CONVERTER", "REST_ADVERTISED_HOST_NAME"))


def test_a_dockerfile_in_the_compose_file_counts_with_its_environment_below_the_files(folder: Folder) -> None:
    plan = folder.read(
        "services:\n  connect:\n    build:\n      dockerfile_inline: |\n"
        "        FROM confluentinc/cp-kafka-connect:7.3.0\n"
        "        ENV CONNECT_VALUE_CONVERTER=json CONNECT_GROUP_ID=g\n"
        f"    environment:\n{WORKER}"
    )
    connect = plan.services[0]
    assert (connect.kind, connect.image) == (ServiceKind.CONNECT, "shop-connect")
    assert isinstance(connect.settings, ConnectSettings)
    assert connect.settings.properties["value.converter"] == "json"
    assert connect.settings.properties["group.id"] == "x"


def test_a_fault_in_a_dockerfile_is_told_with_its_file_and_line(folder: Folder) -> None:
    folder.write("worker/Dockerfile", "FROM a\n\nRUM x\n")
    (fault,) = folder.faults_of("services:\n  worker:\n    build: worker\n")
    assert fault == "worker/Dockerfile:3: RUM is no instruction; did you mean RUN?"


def test_a_missing_dockerfile_names_the_one_that_was_meant(folder: Folder) -> None:
    folder.write("connect.Dockerfile", "FROM a\n")
    (fault,) = folder.faults_of("services:\n  worker:\n    build:\n      dockerfile: conect.Dockerfile\n")
    assert fault.startswith("compose.yaml:4: There is no Dockerfile of services.worker ")
    assert fault.endswith("did you mean connect.Dockerfile?")


def test_arguments_of_the_build_are_given_to_the_dockerfile(folder: Folder) -> None:
    folder.write("Dockerfile", "ARG BASE\nFROM ${BASE}\n")
    build = "    build:\n      context: .\n      args: [BASE=postgres:14]\n"
    text = f"services:\n  db:\n{build}    environment: [POSTGRES_PASSWORD=x]\n"
    assert folder.read(text).services[0].kind is ServiceKind.POSTGRES
    alone = folder.read(text.replace("BASE=postgres:14", "BASE"), {"BASE": "python:3.11"})
    assert alone.services[0].kind is ServiceKind.FOREIGN


def test_a_database_that_is_built_with_scripts_has_them(folder: Folder) -> None:
    folder.write("db/Dockerfile", "FROM postgres:14\nCOPY init.sql /docker-entrypoint-initdb.d/\n")
    folder.write("db/init.sql", "select 1")
    settings = (
        folder.read("services:\n  db:\n    build: db\n    environment: [POSTGRES_PASSWORD=x]\n").services[0].settings
    )
    assert isinstance(settings, PostgresSettings)
    assert settings.version == "14"
    assert settings.init_scripts == (folder.path / "db" / "init.sql",)


def test_a_build_from_elsewhere_is_left_to_the_user(folder: Folder) -> None:
    plan = folder.read("services:\n  app:\n    build: https://example.org/app.git\n")
    assert plan.services[0].kind is ServiceKind.FOREIGN
    assert notes_of(plan, "app") == ["is a program of yours, which is built: start it yourself."]
