"""Env files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.compose.dotenv import DotenvError, parse_env, parse_raw
from tests.compose.conftest import Folder

HEAD = "services:\n  db:\n    image: postgres:16\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB = 2\n", {"A": "1", "B": "2"}),
        ("# note\n\nexport A=1\r\n", {"A": "1"}),
        ("A: 1", {"A": "1"}),
        ("A=1 # note\nB=1#2", {"A": "1", "B": "1#2"}),
        ("A='x $B # \\n'", {"A": "x $B # \\n"}),
        ('A="x\\ny" # note', {"A": "x\ny"}),
        ('A="two\nlines"\nB=2', {"A": "two\nlines", "B": "2"}),
        ("A=1\nB=${A}2\nC=${D:-3}", {"A": "1", "B": "12", "C": "3"}),
        ("A=", {"A": ""}),
        ("A", {"A": None}),
        ("A=x=y", {"A": "x=y"}),
    ],
)
def test_each_form_of_a_variable_is_read(text: str, expected: dict[str, str | None]) -> None:
    assert {line.name: line.value for line in parse_env(text, {})} == expected


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("A=1\n=2", 2, "write NAME=value"),
        ("two words", 1, "write NAME=value"),
        ('A="x', 1, "not closed"),
        ("A=${", 1, "brace"),
    ],
)
def test_a_faulty_line_has_its_number(text: str, line: int, words: str) -> None:
    with pytest.raises(DotenvError, match=words) as caught:
        parse_env(text, {})
    assert caught.value.line == line


@given(st.text(st.characters(exclude_characters="'", exclude_categories=("Cs",)), max_size=40))
def test_single_quotes_keep_everything(value: str) -> None:
    (line,) = parse_env(f"A='{value}'", {})
    assert line.value == value.replace("\r\n", "\n")


def test_the_raw_format_keeps_quotes_and_dollars() -> None:
    assert [(line.name, line.value) for line in parse_raw("A='$B'\n# note\nC")] == [("A", "'$B'"), ("C", None)]


def test_environment_wins_over_env_files_and_a_later_file_over_an_earlier(folder: Folder) -> None:
    folder.write("a.env", "POSTGRES_USER=a\nPOSTGRES_PASSWORD=a\nPOSTGRES_DB=a\n")
    folder.write("b.env", "POSTGRES_PASSWORD=b\nPOSTGRES_DB=b\n")
    text = f"{HEAD}    env_file:\n      - a.env\n      - path: ./b.env\n    environment:\n      - POSTGRES_DB=c\n"
    assert folder.read(text).services[0].environment == {
        "POSTGRES_USER": "a",
        "POSTGRES_PASSWORD": "b",
        "POSTGRES_DB": "c",
    }


def test_a_missing_env_file_is_refused_unless_it_is_not_required(folder: Folder) -> None:
    environment = "    environment: {POSTGRES_PASSWORD: x}\n"
    (fault,) = folder.faults_of(f"{HEAD}    env_file: no.env\n{environment}")
    assert fault.startswith(f"compose.yaml:4: There is no env file {folder.path}/no.env: create it")
    plan = folder.read(f"{HEAD}    env_file:\n      - path: no.env\n        required: false\n{environment}")
    assert plan.services[0].environment == {"POSTGRES_PASSWORD": "x"}


def test_a_name_alone_takes_the_shells_value(folder: Folder) -> None:
    text = f"{HEAD}    environment:\n      - POSTGRES_PASSWORD\n      - POSTGRES_USER\n"
    assert folder.read(text, {"POSTGRES_PASSWORD": "s"}).services[0].environment == {"POSTGRES_PASSWORD": "s"}


def test_a_number_arrives_as_docker_prints_it_and_that_is_said(folder: Folder) -> None:
    plan = folder.read(f"{HEAD}    environment:\n      POSTGRES_PASSWORD: 0123\n      POSTGRES_DB: yes\n")
    assert plan.services[0].environment == {"POSTGRES_PASSWORD": "83", "POSTGRES_DB": "yes"}
    assert "POSTGRES_PASSWORD without quotes is a number to YAML" in plan.notes[0].text
