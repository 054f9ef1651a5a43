"""The commands, as both `headrace` and its `docker` have them: output, sentences for what went wrong, exit status."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from headrace.compose import ComposeError
from headrace.config import ConfigError
from headrace.project.folder import known_projects
from headrace.project.listing import compose_ps, docker_ps
from headrace.project.select import NotFound, Selection
from headrace.project.state import State, view
from headrace.supervisor.interrupts import Interrupted, Interrupts

INTERRUPTED = 130

P = ParamSpec("P")
Command = Callable[Concatenate[Selection, P], int]


@dataclass(frozen=True, slots=True)
class LogOptions:
    """`follow` goes on until Ctrl-C; `tail` is a number of lines or `all`."""

    follow: bool = False
    tail: str = "all"
    prefixes: bool = True

    def count(self) -> int | None:
        if self.tail in ("all", ""):
            return None
        if not self.tail.isdigit():
            raise NotFound(f"--tail {self.tail}: a number of lines or `all` would do")
        return int(self.tail)


def _told(command: Command[P]) -> Command[P]:
    """What a person has to hear, in place of a traceback; the exit status is then 1."""

    def run(selection: Selection, /, *args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return command(selection, *args, **kwargs)
        except Interrupted:
            return INTERRUPTED
        except BrokenPipeError:
            return 0
        except (ComposeError, ConfigError, NotFound, RuntimeError, OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 1

    return run


@_told
def up(selection: Selection, services: Sequence[str], detached: bool) -> int:
    """Start or change a project."""
    from headrace.project.up import Up

    project = Up(selection.plan(services), _say)
    if not detached:
        return project.foreground()
    project.detached()
    return 0


@_told
def down(selection: Selection, volumes: bool) -> int:
    """Stop and remove a project."""
    from headrace.project.down import down

    folder = selection.folder()
    if not down(folder, volumes, _say):
        _say(f"nothing of project {folder.name} is running or kept")
    return 0


@_told
def ps(selection: Selection, every: bool) -> int:
    """The services of one project."""
    state = _state(selection)
    print(compose_ps(state, time.time(), every))
    return 0


def ps_of_all(every: bool) -> int:
    """The services of all projects."""
    states = [state for folder in known_projects() if (state := view(folder)) is not None]
    print(docker_ps(states, time.time(), every))
    return 0


@_told
def logs(selection: Selection, services: Sequence[str], options: LogOptions) -> int:
    """What the servers of a project have said."""
    from headrace.project.logs import Follower

    folder, state = selection.folder(), _state(selection)
    known = {name: it.name for it in state.services for name in (it.name, it.container)}
    for name in services:
        if name not in known:
            raise NotFound(f"no such service: {name}; there are {', '.join(it.name for it in state.services)}")
    names = [known[name] for name in services] or [it.name for it in state.services if folder.log(it.name).exists()]
    follower = Follower(folder, names, prefixes=options.prefixes)
    follower.show_last(options.count())
    if options.follow:
        with Interrupts() as interrupts:
            follower.follow(interrupts, folder.servers_run)
    return 0


@_told
def execute(selection: Selection, words: Sequence[str], variables: Sequence[str], directory: str | None) -> int:
    """Run a command as in a service's container; `words` are the service and the command."""
    from headrace.project.execute import Exec

    if len(words) < 2:
        raise NotFound("exec: a service and a command would do, such as exec broker kafka-topics --list")
    pairs = dict(text.partition("=")[::2] for text in variables)
    return Exec(selection.folder(), words[0], words[1:], pairs, directory).run()


def _state(selection: Selection) -> State:
    folder = selection.folder()
    state = view(folder)
    if state is None:
        raise NotFound(f"no project {folder.name} has been started")
    return state


def _say(line: str) -> None:
    print(line, flush=True)
