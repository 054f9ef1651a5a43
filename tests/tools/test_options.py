"""Command lines as joptsimple reads them."""

import pytest

from headrace.tools.options import Option, OptionError, OptionParser, Parsed, declared_options
from headrace.tools.usage import usage

OPTIONS = [
    Option("topic", argument="required", type="String"),
    Option("partitions", argument="required", type="Integer"),
    Option("offset", argument="required", type="String", default="latest"),
    Option("state", argument="optional", type="String"),
    Option("list"),
    Option("hidden", hidden=True),
]


def parse(*words: str) -> Parsed:
    return OptionParser(OPTIONS).parse(words)


@pytest.mark.parametrize("words", [("--topic", "t"), ("--topic=t",), ("-topic", "t"), ("-topic=t",)])
def test_an_argument_is_taken_with_a_blank_or_an_equals_sign_behind_one_dash_or_two(words: tuple[str, ...]) -> None:
    assert parse(*words).value("topic") == "t"


def test_a_required_argument_takes_the_next_word_even_where_it_looks_like_an_option() -> None:
    parsed = parse("--topic", "--list")
    assert parsed.value("topic") == "--list"
    assert not parsed.has("list")


def test_an_equals_sign_without_a_value_gives_an_empty_one() -> None:
    assert parse("--topic=").value("topic") == ""


def test_a_value_may_hold_equals_signs() -> None:
    assert parse("--topic=a=b=c").value("topic") == "a=b=c"


def test_an_optional_argument_is_not_taken_from_the_next_option() -> None:
    parsed = parse("--state", "--list")
    assert parsed.has("state") and parsed.has("list")
    assert parsed.value("state") is None
    assert parse("--state", "stable").value("state") == "stable"


def test_words_that_belong_to_no_option_are_passed_over() -> None:
    assert parse("here", "--list", "there", "-").has("list")


def test_nothing_behind_two_dashes_alone_is_an_option() -> None:
    assert not parse("--", "--list").has("list")


def test_a_default_is_a_value_and_not_a_given_option() -> None:
    parsed = parse("--list")
    assert parsed.value("offset") == "latest"
    assert not parsed.has("offset")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--nonsense",), "nonsense is not a recognized option"),
        (("--nonsense=1",), "nonsense is not a recognized option"),
        (("--top", "t"), "top is not a recognized option"),
        (("-xyz",), "x is not a recognized option"),
        (("--topic",), "Option topic requires an argument"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_refused_in_joptsimples_words(
    words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(OptionError) as refused:
        parse(*words)
    assert str(refused.value) == sentence


def test_several_values_are_refused_where_one_is_asked_for() -> None:
    parsed = parse("--topic", "a", "--topic", "b")
    assert parsed.values("topic") == ["a", "b"]
    with pytest.raises(OptionError, match="Found multiple arguments for option topic, but you asked for only one"):
        parsed.value("topic")


@pytest.mark.parametrize("text", ["abc", "1.5", str(2**31), str(-(2**31) - 1)])
def test_a_number_that_java_could_not_hold_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=f"Cannot parse argument '{text}' of option partitions"):
        parse("--partitions", text).number("partitions")


def test_numbers_may_be_negative() -> None:
    assert parse("--partitions", "-5").number("partitions") == -5


@pytest.mark.parametrize(
    "name",
    ["kafka-topics", "kafka-console-producer", "kafka-console-consumer", "kafka-consumer-groups", "kafka-configs"],
)
def test_the_help_lists_every_option_within_eighty_columns(name: str) -> None:
    lines = usage(declared_options(name)).splitlines()
    assert lines[0].split() == ["Option", "Description"]
    assert {len(line.expandtabs(1)) for line in lines} == {len(lines[0])}
    assert len(lines[0]) <= 80
    named = [line.split()[0] for line in lines[2:] if line.startswith("--")]
    assert named == sorted(f"--{option.name}" for option in declared_options(name))


def test_the_help_breaks_lines_at_blanks_hyphens_and_dots_and_indents_what_follows() -> None:
    option = Option("name", "The class for reading lines from standard in. (default: org.apache.kafka.Reader)")
    assert [line.rstrip() for line in usage([option]).splitlines()] == [
        "Option  Description",
        "------  -----------",
        "--name  The class for reading lines from",
        "          standard in. (default: org.apache.",
        "          kafka.Reader)",
    ]


def test_hidden_options_are_not_in_the_help() -> None:
    assert "hidden" not in usage(OPTIONS)
