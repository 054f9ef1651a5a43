"""Java's regular expressions by Python's: what matches, what is replaced, what is refused, and why."""

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.api.java import char_set
from headrace.connect.api.java.regex import JavaPattern, RegexError, parse_replacement


def replaced(regex: str, text: str, replacement: str) -> str:
    pattern = JavaPattern(regex)
    return pattern.replace_first(text, parse_replacement(replacement, pattern))


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        ("[a-z&&[^aeiou]]+", "xyz"),
        ("[a-c[x-z]]+", "abz"),
        ("[]a]+", "]a"),
        ("[^]a]", "b"),
        ("[\\Qa-c\\E]+", "a-c"),
        ("\\Qa.b\\E.*", "a.bc"),
        ("(?i)topic", "ToPiC"),
        ("(?i)a(?-i)b", "Ab"),
        ("(?i:a)b", "Ab"),
        ("(?x) a b # words", "ab"),
        ("(?x)[a b]+", "ab"),
        ("(?s).", "\n"),
        ("(?d).", "\u2028"),
        ("(?m)a$\n^b", "a\nb"),
        ("(?dm)a$\n^b", "a\nb"),
        ("a\\Z\n", "a\n"),
        ("(?d)a\\Z\n", "a\n"),
        ("a\\z", "a"),
        ("\\Ga", "a"),
        ("a\\Rb", "a\r\nb"),
        ("\\h\\v", "\u3000\u2028"),
        ("\\x41\\u0042\\0103\\cA\\x{1F40D}", "ABC\x01\U0001f40d"),
        ("\\t\\n\\r\\f\\a\\e", "\t\n\r\f\a\x1b"),
        ("(a)\\1", "aa"),
        ("(a)\\11", "aa1"),
        ("(?i)(a)\\1", "aA"),
        ("(?<x1>a)\\k<x1>", "aa"),
        ("(?>a|ab)c", "ac"),
        ("a++b", "aab"),
        ("a{2,}?a{1}", "aaa"),
        ("(?=a)*a", "a"),
        ("^*a", "a"),
        ("\\B", ""),
        ("\\p{Lu}\\p{Punct}\\pL", "A-b"),
        ("\\P{Alpha}", "1"),
        ("(?i)\\p{Lower}\\p{Lu}", "Aa"),
        ("(?<=a)b|ab", "ab"),
        ("(?<!a)b", "b"),
        ("[a-]+", "a-"),
        ("[a&b]", "&"),
        ("a}", "a}"),
    ],
)
def test_a_pattern_matches_what_java_matches(regex: str, text: str) -> None:
    assert JavaPattern(regex).matches(text)


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        ("\\d", "٣"),
        ("\\w", "é"),
        (".", "\u2028"),
        (".", "\x85"),
        ("[^a]", "a"),
        ("(?i)[^a]", "A"),
        ("(?>a|ab)c", "abc"),
        ("a++a", "aa"),
        ("(a)\\2", "a"),
        ("topic", "topics"),
        ("a$", "a\n"),
        ("[a-z&&[aeiou]]", "b"),
        ("a{0}", "a"),
    ],
)
def test_a_pattern_does_not_match_what_java_does_not(regex: str, text: str) -> None:
    assert not JavaPattern(regex).matches(text)


@pytest.mark.parametrize(
    ("regex", "reason"),
    [
        ("(", "Unclosed group"),
        ("a)", "Unmatched closing"),
        ("[a", "Unclosed character class"),
        ("[b-a]", "Illegal character range"),
        ("[a-\\d]", "Illegal character range"),
        ("*a", "Dangling meta character"),
        ("a**", "Dangling meta character"),
        ("a{", "Illegal repetition"),
        ("{", "Illegal repetition"),
        ("a{3,2}", "Illegal repetition range"),
        ("\\q", "escape sequence"),
        ("\\", "escape sequence"),
        ("(?<1a>b)", "name"),
        ("(?<n>a)(?<n>b)", "already defined"),
        ("\\k<m>", "does not exist"),
        ("(?#c)a", "inline modifier"),
        ("\\x{110000}", "too big"),
        ("[&&a]", "Bad class syntax"),
    ],
)
def test_what_java_refuses_is_refused_with_the_reason(regex: str, reason: str) -> None:
    with pytest.raises(RegexError, match=reason):
        JavaPattern(regex)


@pytest.mark.parametrize(
    ("regex", "reason"),
    [
        ("(?<=a+)b", "look-behind"),
        ("(?<=\\1)(a)", "Look-behind"),
        ("\\1(a)", "later"),
        ("(a\\1)", "within itself"),
        ("(a)*+", "possessive"),
        ("\\p{IsGreek}", "write its characters as a class"),
        ("\\p{javaLowerCase}", "write its characters as a class"),
        ("(?u)a", "Unicode"),
        ("\\b{g}", "not offered"),
        ("\\X", "escape sequence"),
        ("\\uD83D", "surrogate"),
        ("[a&&[b]c]", "brackets"),
    ],
)
def test_what_python_cannot_do_exactly_is_refused_with_the_reason(regex: str, reason: str) -> None:
    with pytest.raises(RegexError, match=reason):
        JavaPattern(regex)


def test_what_is_replaced_is_the_first_place_found_and_not_the_whole_match() -> None:
    assert JavaPattern("a|ab").matches("ab")
    assert replaced("a|ab", "ab", "X") == "Xb"


@pytest.mark.parametrize(
    ("regex", "replacement", "made"),
    [
        ("(.*)-(.*)", "$2.$1", "b.a"),
        ("(?<left>.*)-(.*)", "${left}", "a"),
        ("(.*)-(.*)", "$23", "b3"),
        ("(.*)-(.*)", "\\$1\\\\", "$1\\"),
        ("(x)?a-b", "<$1>", "<>"),
        ("nothing", "x", "a-b"),
    ],
)
def test_a_replacement_takes_the_groups_that_there_are(regex: str, replacement: str, made: str) -> None:
    assert replaced(regex, "a-b", replacement) == made


@pytest.mark.parametrize(
    ("replacement", "reason"),
    [
        ("$", "group index is missing"),
        ("$x", "Illegal group reference"),
        ("$2", "No group 2"),
        ("\\", "character to be escaped is missing"),
        ("${n", "missing trailing"),
        ("${}", "0 length name"),
        ("${1}", "starts with digit"),
        ("${m}", "No group with name {m}"),
    ],
)
def test_a_replacement_that_java_refuses_is_refused_in_its_words(replacement: str, reason: str) -> None:
    with pytest.raises(RegexError, match=re.escape(reason)):
        parse_replacement(replacement, JavaPattern("(?<n>a)"))


POINTS = st.integers(0, sys.maxunicode)
SETS = st.lists(st.tuples(POINTS, st.integers(0, 500)), max_size=5).map(
    lambda pairs: char_set.union((low, min(low + more, sys.maxunicode)) for low, more in pairs)
)


def holds(ranges: char_set.Ranges, point: int) -> bool:
    return any(low <= point <= high for low, high in ranges)


@given(SETS, SETS, POINTS)
def test_sets_of_characters_are_sets(left: char_set.Ranges, right: char_set.Ranges, drawn: int) -> None:
    edges = [edge + step for pair in left + right for edge in pair for step in (-1, 0, 1)]
    for point in (drawn, *(edge for edge in edges if 0 <= edge <= sys.maxunicode)):
        assert holds(char_set.union(left, right), point) == (holds(left, point) or holds(right, point))
        assert holds(char_set.intersection(left, right), point) == (holds(left, point) and holds(right, point))
        assert holds(char_set.complement(left), point) != holds(left, point)


@given(SETS, POINTS)
def test_a_set_written_for_python_matches_its_own_characters(ranges: char_set.Ranges, drawn: int) -> None:
    written = re.compile(char_set.as_python(ranges))
    for point in (drawn, *(edge for pair in ranges for edge in pair)):
        assert bool(written.fullmatch(chr(point))) == holds(ranges, point)
