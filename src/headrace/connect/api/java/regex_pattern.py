"""Patterns of `java.util.regex`, parsed as Java parses them and written anew for Python's `re`.

Classes become ranges, flags are applied where they hold, `.`, `$` and `\\b` have Java's sense. What `re` cannot do
exactly is refused: references to groups that are not closed yet, look-behind of varying length, classes named by
script, block or Java method, Unicode case, `\\X`, `\\N` and `\\b{g}`.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

from headrace.connect.api.java import char_set
from headrace.connect.api.java.char_set import Ranges


class RegexError(ValueError):
    """A pattern or a replacement that Java refuses, or that cannot be put into Python's terms."""


_QUOTED: Final = re.compile(r"\\Q(.*?)(?:\\E|\Z)|\\.", re.DOTALL)


def unquoted(text: str) -> str:
    """`\\Q...\\E` written as escapes, as Java does before it parses."""
    return _QUOTED.sub(lambda found: found[0] if found[1] is None else "".join(map(_escaped, found[1])), text)


def _escaped(char: str) -> str:
    if not char.isascii() or char.isalpha():
        return char
    return f"\\x{ord(char):02x}" if char.isdigit() else f"\\{char}"


_FLAGS: Final = "idmsx"
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_ANY_END: Final = r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])"
_BEFORE_LAST_NEWLINE: Final = r"(?:(?=\n?\Z))"
_BEFORE_LAST_END: Final = r"(?:(?=(?:\r\n|[\r\x85\u2028\u2029]|(?<!\r)\n)?\Z))"
_BEFORE_ANY_END: Final = r"(?=\r\n|[\r\x85\u2028\u2029]|(?<!\r)\n|\Z)"
_AFTER_ANY_END: Final = r"(?:\A|(?:(?<=[\n\x85\u2028\u2029])|(?<=\r)(?!\n))(?!\Z))"
_COUNT: Final = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_NAME: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*)>")
_SPACES: Final = re.compile(r"(?:[ \t-\r]|#[^\n\r\x85\u2028\u2029]*)*")
_HEX: Final = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})|u([0-9A-Fa-f]{4})")
_OCTAL: Final = re.compile(r"0([0-3][0-7]{2}|[0-7]{1,2})")
_PROPERTY: Final = re.compile(r"([pP])(?:\{([^}]*)\}|(.))")
_MAX_COUNT: Final = 2**31 - 1


@dataclass(slots=True)
class Translator:
    """A parser of Java's patterns whose output is Python's. Raises RegexError with the place."""

    text: str
    at: int = 0
    flags: frozenset[str] = frozenset()
    opened: int = 0
    closed: set[int] = field(default_factory=set)
    names: dict[str, int] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)
    behind: int = 0

    def translate(self) -> str:
        made = self._alternation()
        if self.at < len(self.text):
            self._refuse("Unmatched closing ')'")
        if any(group <= self.opened for group in self.unknown):
            self._refuse("a reference to a group that comes later is not offered")
        return made

    def _refuse(self, why: str) -> NoReturn:
        raise RegexError(f"{why} near index {self.at}")

    def _peek(self) -> str:
        """The next character, blanks and comments skipped where the flag says so; empty at the end."""
        if "x" in self.flags and (found := _SPACES.match(self.text, self.at)):
            self.at = found.end()
        return self.text[self.at : self.at + 1]

    def _takes(self, text: str) -> bool:
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _alternation(self) -> str:
        branches = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            branches.append(self._sequence())
        return "|".join(branches)

    def _sequence(self) -> str:
        made = []
        while (char := self._peek()) not in ("", "|", ")"):
            if char in "*+?":
                self._refuse(f"Dangling meta character '{char}'")
            if char == "{":
                self._refuse("Illegal repetition")
            before = self.opened
            atom = self._atom(char)
            times = self._quantifier() if atom else ""
            if len(times) > 1 and times.endswith("+") and self.opened > before:
                self._refuse("a possessive repetition of a capturing group is not offered")
            made.append(atom + times)
        return "".join(made)

    def _quantifier(self) -> str:
        char = self._peek()
        if char in ("*", "+", "?") and char:
            self.at += 1
            made = char
        elif char == "{":
            made = self._count()
        else:
            return ""
        follower = self._peek()
        if follower in ("?", "+") and follower:
            self.at += 1
            return made + follower
        return made

    def _count(self) -> str:
        found = _COUNT.match(self.text, self.at)
        if found is None:
            self._refuse("Illegal repetition")
        low, high = int(found[1]), int(found[3]) if found[3] else None
        if low > _MAX_COUNT or (high is not None and not low <= high <= _MAX_COUNT):
            self._refuse("Illegal repetition range")
        self.at = found.end()
        return found[0]

    def _atom(self, char: str) -> str:
        """One thing that a quantifier may follow; nothing where only flags change."""
        self.at += 1
        match char:
            case "(":
                return self._group()
            case "[":
                return char_set.as_python(self._class())
            case "\\":
                return self._escape()
            case ".":
                ends = () if "s" in self.flags else char_set.of("\n") if "d" in self.flags else char_set.LINE_ENDS
                return char_set.as_python(char_set.complement(ends))
            case "^":
                return f"(?:{self._line_start()})"
            case "$":
                return f"(?:{self._line_end()})"
        return self._literal(ord(char))

    def _line_start(self) -> str:
        if "m" not in self.flags:
            return r"\A"
        return r"(?:\A|(?<=\n)(?!\Z))" if "d" in self.flags else _AFTER_ANY_END

    def _line_end(self) -> str:
        if "d" in self.flags:
            return r"(?=\n|\Z)" if "m" in self.flags else _BEFORE_LAST_NEWLINE
        return _BEFORE_ANY_END if "m" in self.flags else _BEFORE_LAST_END

    def _literal(self, point: int) -> str:
        if "i" in self.flags and chr(point).isascii() and chr(point).isalpha():
            return f"[{chr(point).lower()}{chr(point).upper()}]"
        return re.escape(chr(point))

    def _group(self) -> str:
        """What follows a `(`."""
        if not self._takes("?"):
            return self._capturing(None)
        for opening in (":", "=", "!", ">", "<=", "<!"):
            if self._takes(opening):
                self.behind += opening.startswith("<")
                made = f"(?{opening}{self._body()})"
                self.behind -= opening.startswith("<")
                return made if opening in (":", ">") else f"(?:{made})"
        if self._takes("<"):
            found = _NAME.match(self.text, self.at)
            if found is None:
                self._refuse("a group's name has a letter, then letters and digits, and ends with '>'")
            if found[1] in self.names:
                self._refuse(f"Named capturing group <{found[1]}> is already defined")
            self.at = found.end()
            return self._capturing(found[1])
        return self._flagged()

    def _capturing(self, name: str | None) -> str:
        self.opened += 1
        number = self.opened
        if name is not None:
            self.names[name] = number
        made = f"({self._body()})"
        self.closed.add(number)
        return made

    def _body(self) -> str:
        """Up to the closing parenthesis; flags that change within end with it."""
        flags = self.flags
        made = self._alternation()
        if self._peek() != ")":
            self._refuse("Unclosed group")
        self.at += 1
        self.flags = flags
        return made

    def _flagged(self) -> str:
        """`(?i-s)` and `(?i-s:...)`."""
        before, on = self.flags, True
        changed = set(self.flags)
        while (char := self.text[self.at : self.at + 1]) not in (":", ")"):
            self.at += 1
            if char == "-":
                on = False
            elif char and char in "uU":
                self._refuse(f"the flag {char} (Unicode) is not offered")
            elif not char or char not in _FLAGS:
                self._refuse("Unknown inline modifier")
            else:
                (changed.add if on else changed.discard)(char)
        self.at += 1
        self.flags = frozenset(changed)
        if char == ")":
            return ""
        made = f"(?:{self._body()})"
        self.flags = before
        return made

    def _escape(self) -> str:
        """What follows a `\\`, outside of a class."""
        char = self.text[self.at : self.at + 1]
        match char:
            case "b" | "B":
                self.at += 1
                if char == "b" and self.text.startswith("{", self.at):
                    self._refuse("\\b{g} is not offered")
                # Not Python's own \B, which an empty text has not before Python 3.14.
                return r"(?:\b)" if char == "b" else r"(?!\b)"
            case "A" | "G":
                self.at += 1
                return r"(?:\A)"
            case "z":
                self.at += 1
                return r"(?:\Z)"
            case "Z":
                self.at += 1
                return _BEFORE_LAST_NEWLINE if "d" in self.flags else _BEFORE_LAST_END
            case "R":
                self.at += 1
                return _ANY_END
            case "k":
                return self._named_backreference()
        if char and char in "123456789":
            return self._backreference()
        found = self._class_escape()
        return self._literal(found) if isinstance(found, int) else char_set.as_python(found)

    def _backreference(self) -> str:
        number = int(self.text[self.at])
        self.at += 1
        while (digit := self.text[self.at : self.at + 1]) and digit in "0123456789":
            if number * 10 + int(digit) > self.opened:
                break
            number, self.at = number * 10 + int(digit), self.at + 1
        return self._same_as(number)

    def _named_backreference(self) -> str:
        found = re.compile(r"k<([A-Za-z][A-Za-z0-9]*)>").match(self.text, self.at)
        if found is None or found[1] not in self.names:
            self._refuse("named capturing group does not exist")
        self.at = found.end()
        return self._same_as(self.names[found[1]])

    def _same_as(self, number: int) -> str:
        if self.behind:
            self._refuse("Look-behind group does not have an obvious maximum length")
        if number in self.closed:
            return f"(?i:\\{number})" if "i" in self.flags else f"(?:\\{number})"
        if number <= self.opened:
            self._refuse("a reference to a group within itself is not offered")
        self.unknown.add(number)
        return "(?!)"

    def _class_escape(self) -> int | Ranges:
        """What follows a `\\`, where a class may stand: a code point or a set."""
        char = self.text[self.at : self.at + 1]
        if char and char.lower() in char_set.PREDEFINED:
            self.at += 1
            known = char_set.PREDEFINED[char.lower()]
            return known if char.islower() else char_set.complement(known)
        if found := _PROPERTY.match(self.text, self.at):
            return self._property(found)
        if found := _HEX.match(self.text, self.at):
            self.at = found.end()
            return self._point(int(found[1] or found[2] or found[3], 16))
        if found := _OCTAL.match(self.text, self.at):
            self.at = found.end()
            return int(found[1], 8)
        self.at += 1
        if char in _CONTROLS:
            return ord(_CONTROLS[char])
        if char == "c" and self.at < len(self.text):
            self.at += 1
            return ord(self.text[self.at - 1]) ^ 64
        if not char or (char.isascii() and char.isalnum()):
            self._refuse("Illegal/unsupported escape sequence")
        return ord(char)

    def _point(self, point: int) -> int:
        if point > char_set.LAST:
            self._refuse("Hexadecimal codepoint is too big")
        if 0xD800 <= point <= 0xDFFF:
            self._refuse("half of a surrogate pair is not offered: write the character itself")
        return point

    def _property(self, found: re.Match[str]) -> Ranges:
        known = char_set.named(found[2] or found[3] or "", any_case="i" in self.flags)
        if known is None:
            self._refuse(f"the character property \\{found[0]} is not offered: write its characters as a class")
        self.at = found.end()
        return known if found[1] == "p" else char_set.complement(known)

    def _class(self) -> Ranges:
        """What follows a `[`, up to its `]`."""
        negated = self._takes("^")
        found = self._class_items()
        self.at += 1
        return char_set.complement(found) if negated else found

    def _class_items(self) -> Ranges:
        """The union of the items up to the `]`, cut with what stands behind `&&`."""
        found: Ranges | None = None
        while (char := self._peek()) != "]" or found is None:
            if not char:
                self._refuse("Unclosed character class")
            if self._takes("&&"):
                if found is None:
                    self._refuse("Bad class syntax")
                return char_set.intersection(found, self._right_side())
            found = char_set.union(found or (), self._class_item())
        return found

    def _right_side(self) -> Ranges:
        """What stands behind a `&&`. Java forgets a class in brackets that bare items follow: refused."""
        bracketed = self._peek() == "["
        if self._peek() in ("]", "&"):
            self._refuse("Bad class syntax")
        found = self._class_items() if not bracketed else ()
        while bracketed and self._takes("["):
            found = char_set.union(found, self._class())
        if bracketed and self._takes("&&"):
            return char_set.intersection(found, self._right_side())
        if self._peek() != "]":
            self._refuse("items behind a class in brackets behind && are not offered: put them into the brackets")
        return found

    def _class_item(self) -> Ranges:
        """A nested class, a set by escape, a character, or a range of characters."""
        if self._takes("["):
            return self._class()
        low = self._class_point()
        if not isinstance(low, int):
            return low
        high = low
        if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("", "[", "]"):
            self.at += 1
            last = self._class_point()
            if not isinstance(last, int) or last < low:
                self._refuse("Illegal character range")
            high = last
        ranges = ((low, high),)
        return char_set.either_case(ranges) if "i" in self.flags else ranges

    def _class_point(self) -> int | Ranges:
        char = self._peek()
        self.at += 1
        return self._class_escape() if char == "\\" else ord(char)
