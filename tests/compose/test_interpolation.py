"""`${VAR}` and its forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.compose.interpolation import InterpolationError, interpolate
from tests.compose.conftest import Folder, notes_of

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
PLAIN = st.text(st.characters(exclude_characters="${}", exclude_categories=("Cs",)), max_size=20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$SET", "v"),
        ("a${SET}b", "avb"),
        ("${SET}_x", "v_x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NONE-x}", "x"),
        ("${NONE:-}", ""),
        ("${SET:-x}", "v"),
        ("${SET:?no}", "v"),
        ("${EMPTY?no}", ""),
        ("${SET:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${NONE+x}", ""),
        ("${NONE:-${SET}}", "v"),
        ("${NONE:-${ALSO:-deep}}", "deep"),
        ('${NONE:-{"a": 1}}', '{"a": 1}'),
        ("${NONE:-a:b}", "a:b"),
        ("$$SET", "$SET"),
        ("$${SET}", "${SET}"),
        ("p$$$$", "p$$"),
    ],
)
def test_each_form_is_filled_in_as_docker_fills_it_in(text: str, expected: str) -> None:
    assert interpolate(text, {"SET": "v", "EMPTY": ""}) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a$", r"write \$\$"),
        ("$1", r"write \$\$"),
        ("${SET", "no closing brace"),
        ("${}", "names no variable"),
        ("${SET!x}", r"after \$\{SET only :- - :\? \? :\+ \+ are known"),
        ("${NONE:?tell me}", "NONE is required: tell me"),
        ("${EMPTY:?}", "set EMPTY in the shell or in .env"),
        ("${NONE?${SET}}", "NONE is required: v"),
    ],
)
def test_what_cannot_be_filled_in_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(InterpolationError, match=words):
        interpolate(text, {"SET": "v", "EMPTY": ""})


@given(PLAIN)
def test_text_without_dollars_is_left_alone(text: str) -> None:
    assert interpolate(text, {}) == text


@given(st.text(max_size=30))
def test_any_text_comes_back_with_its_dollars_doubled(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), {}) == text


@given(NAMES, PLAIN, PLAIN, PLAIN)
def test_a_value_is_put_in_as_it_is(name: str, value: str, before: str, after: str) -> None:
    value += "$HOME ${X}"  # a value is not looked through again
    assert interpolate(f"{before}${{{name}}}{after}", {name: value}) == before + value + after


@given(NAMES, PLAIN, st.sampled_from([None, "", "v"]))
def test_the_colon_asks_for_a_value_that_is_not_empty(name: str, default: str, value: str | None) -> None:
    variables = {} if value is None else {name: value}
    assert interpolate(f"${{{name}:-{default}}}", variables) == (value or default)
    assert interpolate(f"${{{name}-{default}}}", variables) == (default if value is None else value)
    assert interpolate(f"${{{name}:+{default}}}", variables) == (default if value else "")
    assert interpolate(f"${{{name}+{default}}}", variables) == ("" if value is None else default)


@given(NAMES)
def test_a_variable_without_a_value_is_told(name: str) -> None:
    told: list[str] = []
    assert interpolate(f"${name} ${{{name}}} ${{{name}:-x}}", {}, told.append) == "  x"
    assert told == [name, name]


def test_a_blank_variable_is_a_note_where_the_file_can_be_run(folder: Folder) -> None:
    plan = folder.read(
        "services:\n  db:\n    image: postgres:16\n    environment:\n"
        "      POSTGRES_PASSWORD: x\n      POSTGRES_DB: ${DB}\n"
    )
    assert notes_of(plan, "") == [
        (
            "The variable DB has no value: set it in the shell or in .env, or write ${DB:-default}. "
            "It is taken as blank, as Docker takes it."
        )
    ]


def test_a_fault_that_comes_of_a_blank_variable_names_it(folder: Folder) -> None:
    text = "services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_PASSWORD: ${PW}\n"
    (fault,) = folder.faults_of(text)
    assert fault.startswith("compose.yaml:5: services.db has no POSTGRES_PASSWORD")
    assert "The variable PW has no value" in fault


def test_a_required_variable_is_a_fault_with_its_line_and_message(folder: Folder) -> None:
    text = "services:\n  db:\n    image: postgres:${TAG:?which version}\n    environment: [POSTGRES_PASSWORD=x]\n"
    assert folder.faults_of(text)[0] == (
        "compose.yaml:3: The variable TAG is required: which version (set TAG in the shell or in .env)."
    )
    assert folder.plan(TAG="16").services[0].image == "postgres:16"


def test_the_shell_wins_over_the_env_file_beside_the_compose_file(folder: Folder) -> None:
    folder.write(".env", "TAG=15\nPW=from-file\n")
    text = "services:\n  db:\n    image: postgres:${TAG}\n    environment:\n      POSTGRES_PASSWORD: ${PW}\n"
    plan = folder.read(text, {"TAG": "16"})
    assert plan.services[0].image == "postgres:16"
    assert plan.services[0].environment == {"POSTGRES_PASSWORD": "from-file"}
