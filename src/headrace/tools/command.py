"""What the tools have in common: reading the command line, help, version, and the sentences of a refusal.

A tool raises `Refusal` (a sentence on standard error), `UsageError` (the sentence, then the help) or returns its exit
status; `--zookeeper` is refused everywhere with what replaced it.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence

from headrace.tools.options import Option, OptionError, OptionParser, Parsed, declared_options
from headrace.tools.usage import usage

# The version of Apache Kafka whose tools these follow; `--version` prints it, as scripts expect.
KAFKA_VERSION = "4.3.1"
INTERRUPTED = 130

ZOOKEEPER = Option("zookeeper", argument="required", type="String", hidden=True)


class Refusal(Exception):
    """A command that is not carried out; the text is the sentence that says why."""


class UsageError(Refusal):
    """A refusal below which the help is printed."""


class Tool:
    """One command: its options, `greeting` (printed above the help) and `run`, which gives the exit status.

    With `explains`, an option that is not known is answered with the help, too: Kafka's tools do not agree on it.
    """

    def __init__(
        self,
        name: str,
        greeting: str,
        run: Callable[[Parsed], int],
        more: Iterable[Option] = (),
        explains: bool = False,
    ) -> None:
        self.greeting = greeting
        self._explains = explains
        self.options = [*declared_options(name), *more, ZOOKEEPER]
        self._run = run

    def main(self, argv: Sequence[str]) -> int:
        """Run the command line `argv` (without the program's name) and give the exit status."""
        try:
            return self._main(argv)
        except UsageError as error:
            print(error, usage(self.options), sep="\n", end="", file=sys.stderr)
        except (Refusal, OptionError) as error:
            print(error, file=sys.stderr)
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:
            _leave_standard_output()
        return 1

    def _main(self, argv: Sequence[str]) -> int:
        parsed = self._parse(argv)
        if parsed.has(ZOOKEEPER.name):
            raise Refusal(_no_zookeeper(parsed))
        if not argv or parsed.has("help"):
            raise UsageError(self.greeting)
        if parsed.has("version"):
            print(KAFKA_VERSION)
            return 0
        status = self._run(parsed)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status

    def _parse(self, argv: Sequence[str]) -> Parsed:
        try:
            return OptionParser(self.options).parse(argv)
        except OptionError as error:
            if self._explains:
                raise UsageError(str(error)) from None
            raise


def require(parsed: Parsed, *names: str) -> None:
    """Raises UsageError that names the first of `names` that was not given."""
    for name in names:
        if not parsed.has(name):
            raise UsageError(f'Missing required argument "[{name}]"')


def refuse_together(parsed: Parsed, name: str, *others: str) -> None:
    """Raises UsageError where `name` was given with one of `others`."""
    for other in others:
        if parsed.has(name) and parsed.has(other):
            raise UsageError(f'Option "[{name}]" can\'t be used with option "[{other}]"')


def key_values(words: Iterable[str]) -> dict[str, str]:
    """The properties that arguments of the form key=value give; a key alone has an empty value."""
    pairs = (word.partition("=") for word in words)
    return {key: value for key, _, value in pairs}


def _no_zookeeper(parsed: Parsed) -> str:
    known = parsed.value("bootstrap-server") or "HOST:PORT of a broker"
    return (
        f"--zookeeper is no longer an option: Kafka runs without ZooKeeper; use --bootstrap-server {known} in its place"
    )


def _leave_standard_output() -> None:
    """Whoever read our output has gone: what is left in the buffer goes nowhere, without a word at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
