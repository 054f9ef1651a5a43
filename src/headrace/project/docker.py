"""`docker` in a `headrace shell`: what it takes of Docker's command line, and a word for all else.

Run as `python -m headrace.project.docker`. It imports what a command needs when that is called, since it is typed at a
prompt.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from headrace.project.select import Selection

NOT_DOCKER = (
    "This is not Docker: it is headrace's stand-in, which runs compose files natively and knows\n"
    "  docker compose [-p NAME] [-f FILE] up|down|exec|ps|logs, docker ps, docker exec and docker logs"
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(1, f"{self.prog}: {message}\n{NOT_DOCKER}\n")


def main(arguments: Sequence[str]) -> int:
    """Do what `docker ARGUMENTS` asks for; the exit status."""
    first, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    match first:
        case "compose":
            return _compose(rest)
        case "ps":
            return _docker_ps(rest)
        case "container" if rest[:1] in (["ls"], ["ps"]):
            return _docker_ps(rest[1:])
        case "exec":
            return _docker_exec(rest)
        case "logs":
            return _docker_logs(rest)
    print(f"docker {' '.join(arguments)}".rstrip() + f": {NOT_DOCKER[0].lower()}{NOT_DOCKER[1:]}", file=sys.stderr)
    return 1


def _compose(arguments: Sequence[str]) -> int:
    parser = _Parser(prog="docker compose", allow_abbrev=False)
    parser.add_argument("-f", "--file", action="append", default=[])
    parser.add_argument("-p", "--project-name")
    parser.add_argument("--ansi")
    parser.add_argument("--progress")
    parser.add_argument("--compatibility", action="store_true")
    parser.add_argument("command", choices=sorted(_COMPOSE))
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    return _COMPOSE[given.command](Selection(given.file, given.project_name), given.rest)


def _up(selection: Selection, arguments: Sequence[str]) -> int:
    from headrace.project.commands import up

    parser = _Parser(prog="docker compose up", allow_abbrev=False)
    parser.add_argument("-d", "--detach", action="store_true")
    for option in ("--build", "--wait", "--remove-orphans", "--no-build", "--quiet-pull", "--no-log-prefix"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("services", nargs="*")
    given = parser.parse_args(arguments)
    return up(selection, given.services, given.detach or given.wait)


def _down(selection: Selection, arguments: Sequence[str]) -> int:
    from headrace.project.commands import down

    parser = _Parser(prog="docker compose down", allow_abbrev=False)
    parser.add_argument("-v", "--volumes", action="store_true")
    parser.add_argument("--remove-orphans", action="store_true")
    parser.add_argument("--rmi")
    parser.add_argument("-t", "--timeout", type=int)
    return down(selection, parser.parse_args(arguments).volumes)


def _ps(selection: Selection, arguments: Sequence[str]) -> int:
    from headrace.project.commands import ps

    parser = _Parser(prog="docker compose ps", allow_abbrev=False)
    parser.add_argument("-a", "--all", action="store_true")
    return ps(selection, parser.parse_args(arguments).all)


def _logs(selection: Selection, arguments: Sequence[str]) -> int:
    from headrace.project.commands import LogOptions, logs

    parser = _Parser(prog="docker compose logs", allow_abbrev=False)
    parser.add_argument("-f", "--follow", action="store_true")
    parser.add_argument("-n", "--tail", default="all")
    parser.add_argument("--no-log-prefix", action="store_true")
    parser.add_argument("--no-color", action="store_true")
    parser.add_argument("services", nargs="*")
    given = parser.parse_args(arguments)
    return logs(selection, given.services, LogOptions(given.follow, given.tail, not given.no_log_prefix))


def _exec(selection: Selection, arguments: Sequence[str]) -> int:
    from headrace.project.commands import execute

    given = _exec_parser("docker compose exec", "service").parse_args(arguments)
    return execute(selection, [given.service, *given.command], given.env, given.workdir)


def _exec_parser(name: str, what: str) -> argparse.ArgumentParser:
    """Options end at the first word that is none: those after it are the command's own."""
    parser = _Parser(prog=name, allow_abbrev=False)
    for short, long in (("-T", "--no-TTY"), ("-i", "--interactive"), ("-t", "--tty"), ("-d", "--detach")):
        parser.add_argument(short, long, action="store_true")
    parser.add_argument("-e", "--env", action="append", default=[])
    parser.add_argument("-w", "--workdir")
    parser.add_argument("-u", "--user")
    parser.add_argument("--index")
    parser.add_argument("--privileged", action="store_true")
    parser.add_argument(what)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _docker_ps(arguments: Sequence[str]) -> int:
    from headrace.project.folder import known_projects
    from headrace.project.listing import docker_ps, ids
    from headrace.project.state import view

    parser = _Parser(prog="docker ps", allow_abbrev=False)
    parser.add_argument("-a", "--all", action="store_true")
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("--no-trunc", action="store_true")
    given = parser.parse_args(arguments)
    states = [state for folder in known_projects() if (state := view(folder)) is not None]
    text = ids(states, given.all) if given.quiet else docker_ps(states, time.time(), given.all)
    if text:
        print(text)
    return 0


def _docker_exec(arguments: Sequence[str]) -> int:
    from headrace.project.commands import execute

    given = _exec_parser("docker exec", "container").parse_args(arguments)
    selection = _project_of(given.container)
    return execute(selection, [given.container, *given.command], given.env, given.workdir)


def _docker_logs(arguments: Sequence[str]) -> int:
    from headrace.project.commands import LogOptions, logs

    parser = _Parser(prog="docker logs", allow_abbrev=False)
    parser.add_argument("-f", "--follow", action="store_true")
    parser.add_argument("-n", "--tail", default="all")
    parser.add_argument("container")
    given = parser.parse_args(arguments)
    return logs(_project_of(given.container), [given.container], LogOptions(given.follow, given.tail, False))


def _project_of(container: str) -> Selection:
    """The project that has a container of this name or id."""
    from headrace.project.folder import known_projects
    from headrace.project.state import view

    for folder in known_projects():
        state = view(folder)
        if state is not None and any(container == service.container for service in state.services):
            return Selection((), folder.name)
    print(f"Error response: No such container: {container}", file=sys.stderr)
    raise SystemExit(1)


_COMPOSE: dict[str, Callable[[Selection, Sequence[str]], int]] = {
    "up": _up,
    "down": _down,
    "ps": _ps,
    "logs": _logs,
    "exec": _exec,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
