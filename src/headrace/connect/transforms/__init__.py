"""Transformations that come with Headrace, and what to say where a name is none of them."""

from collections.abc import Iterable


def unknown_transform(name: str, known: Iterable[str]) -> str:
    """The sentence for a `transforms.<alias>.type` that no plug-in has.

    >>> unknown_transform("org.example.Mask", ["org.example.Mask$Key", "org.example.Mask$Value"])
    'there is no transformation org.example.Mask: did you mean org.example.Mask$Value (or $Key)? \
an unquoted heredoc drops $Value'
    """
    sentence = f"there is no transformation {name}"
    names = list(known)
    halves = [half for half in ("$Value", "$Key") if any(_names(one, f"{name}{half}") for one in names)]
    if not halves:
        return sentence
    either = f" (or {halves[1]})" if halves[1:] else ""
    return f"{sentence}: did you mean {name}{halves[0]}{either}? an unquoted heredoc drops {halves[0]}"


def _names(known: str, wanted: str) -> bool:
    """Whether `wanted` is this class name, or its last part, as Kafka Connect allows."""
    return known == wanted or known.endswith(f".{wanted}")
