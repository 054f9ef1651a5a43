"""Options that Kafka 4.3 still takes and tells not to use: refused beside what replaced them, else named in a line."""

from collections.abc import Mapping

from headrace.tools.command import UsageError
from headrace.tools.options import Parsed


def replace(parsed: Parsed, replaced: Mapping[str, str], sentence: str, both: str) -> None:
    """Move what an old option was given to the new one, telling it; both sentences have places for `old` and `new`."""
    for old, new in replaced.items():
        if parsed.has(old) and parsed.has(new):
            raise UsageError(both.format(old=old, new=new))
    for old, new in replaced.items():
        if parsed.has(old):
            print(sentence.format(old=old, new=new), flush=True)
            parsed.given[new] = parsed.given.pop(old)
