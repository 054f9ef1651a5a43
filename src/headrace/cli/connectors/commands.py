"""The commands of `headrace connectors`, each a request or two to a worker's REST interface."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from headrace.cli.connectors.client import DEFAULT_URL, UnknownConnector, WorkerClient, WorkerError
from headrace.cli.connectors.screen import coloured, show_list, show_rows, show_tasks
from headrace.cli.connectors.state import ConnectorView, as_json, view
from headrace.cli.connectors.waiting import wait_for
from headrace.config import ConfigError

app = typer.Typer(help="List, create, restart and look at connectors.", invoke_without_command=True)

Url = Annotated[str, typer.Option(envvar="CONNECT_URL", help="The REST interface of a worker.")]
Name = Annotated[str, typer.Argument(help="The connector.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Timeout = Annotated[float, typer.Option(help="How many seconds to wait.", min=0)]
INITIAL: Final = {"STARTED": "RUNNING", "PAUSED": "PAUSED", "STOPPED": "STOPPED"}


@app.callback()
def connectors(context: typer.Context, url: Url = DEFAULT_URL) -> None:
    """List, create, restart and look at connectors; without a command, list them."""
    context.obj = url
    if context.invoked_subcommand is None:
        list_(context, "", as_json_=False)


@contextmanager
def _worker(context: typer.Context, url: str) -> Iterator[WorkerClient]:
    """A client; where something goes wrong its sentence is printed and the exit status is 1."""
    try:
        yield WorkerClient(url or context.obj or DEFAULT_URL)
    except (WorkerError, ConfigError) as error:
        typer.echo(f"headrace connectors: {error}", err=True)
        raise typer.Exit(1) from error


OwnUrl = Annotated[str, typer.Option("--url", help="The REST interface of a worker.", show_default=DEFAULT_URL)]


def _console() -> Console:
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


@app.command("list")
def list_(context: typer.Context, url: OwnUrl = "", as_json_: AsJson = False) -> None:
    """Every connector with its state, its tasks and the first sentence of what failed."""
    with _worker(context, url) as client:
        found = client.get("connectors", expand="status") if client.names() else {}
        infos = client.get("connectors", expand="info") if found else {}
        views = [view(found[name]["status"], infos.get(name, {}).get("info", {}).get("config")) for name in found]
    views.sort(key=lambda each: each.name)
    if as_json_:
        typer.echo(json.dumps([as_json(each) for each in views], indent=2, ensure_ascii=False))
    elif views:
        show_list(_console(), views)
    else:
        typer.echo("There are no connectors yet; make one with: headrace connectors create FILE")


@app.command()
def show(context: typer.Context, name: Name, url: OwnUrl = "", as_json_: AsJson = False) -> None:
    """One connector: state, tasks, topics, offsets and config, with passwords masked."""
    from headrace.connect.rest.secrets import masked

    with _worker(context, url) as client, _known(client, name):
        config = client.get("connectors", name, "config")
        shown = view(client.get("connectors", name, "status"), config)
        topics = _optional(client, "connectors", name, "topics").get(name, {}).get("topics", [])
        offsets = _optional(client, "connectors", name, "offsets").get("offsets", [])
    if as_json_:
        every = {**as_json(shown), "topics": topics, "offsets": offsets, "config": masked(config)}
        typer.echo(json.dumps(every, indent=2, ensure_ascii=False))
        return
    console = _console()
    console.print(f"{shown.name} ({shown.type}, {shown.class_name}):", coloured(shown.state))
    if shown.own_error:
        console.print(shown.own_error, markup=False)
    if shown.tasks:
        show_tasks(console, shown)
    facts = [("topics used", ", ".join(sorted(topics)))] if topics else []
    facts += [("offset", f"{_compact(each['partition'])} {_compact(each['offset'])}") for each in offsets]
    show_rows(console, ("KEY", "VALUE"), [*facts, *sorted(masked(config).items())])


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _optional(client: WorkerClient, *path: str) -> Any:
    """What a worker may refuse to tell (topic tracking is off, offsets out of reach): nothing then."""
    try:
        return client.get(*path)
    except WorkerError:
        return {}


@contextmanager
def _known(client: WorkerClient, name: str) -> Iterator[None]:
    """Say which connectors there are where `name` is none of them."""
    try:
        yield
    except UnknownConnector as error:
        names = client.names()
        if name in names:
            raise
        there = f"there are: {', '.join(names)}" if names else "there are none yet"
        raise WorkerError(f"There is no connector {name} at {client.url}; {there}") from error


@app.command()
def create(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON or properties, as connect-standalone takes them.")],
    replace: Annotated[bool, typer.Option(help="Give a connector that is there already this config.")] = False,
    timeout: Timeout = 60,
    url: OwnUrl = "",
) -> None:
    """Create a connector from a file, wait until its tasks run or fail, and tell."""
    from headrace.connect.rest.connector_files import read_connector_file

    with _worker(context, url) as client:
        given = read_connector_file(file)
        state = INITIAL[given.initial_state.value] if given.initial_state else "RUNNING"
        if replace and given.name in client.names():
            client.ask("PUT", "connectors", given.name, "config", body=given.config)
            state = _state_of(client, given.name)
        else:
            body = {"name": given.name, "config": given.config, "initial_state": state}
            client.ask("POST", "connectors", body=body if given.initial_state else _without_state(body))
        _tell(client, given.name, state, timeout)


def _without_state(body: dict[str, Any]) -> dict[str, Any]:
    """For workers before 3.7, which know no initial state."""
    return {key: value for key, value in body.items() if key != "initial_state"}


def _state_of(client: WorkerClient, name: str) -> str:
    """What a connector is meant to be, by what it is."""
    now = view(client.get("connectors", name, "status")).state
    return now if now in ("PAUSED", "STOPPED") else "RUNNING"


def _tell(client: WorkerClient, name: str, target: str, timeout_s: float) -> None:
    """Wait until the connector is `target`, and say what it is. Exits with status 1 where it failed, or is not yet."""
    with Console(stderr=True).status(f"Waiting until {name} is {target.lower()} ..."):
        shown = wait_for(client, name, target, timeout_s)
    if shown is None:
        raise WorkerError(
            f"{name} is not {target.lower()} after {timeout_s:g} s. See: headrace connectors show {name}, headrace "
            f"connectors log {name}"
        )
    _say(shown, target)


def _say(shown: ConnectorView, target: str) -> None:
    if shown.failed:
        which = [f"task {task.id}" for task in shown.tasks if task.state == "FAILED"]
        what = f"{', '.join(which)} of {shown.name}" if which else f"the connector {shown.name}"
        typer.echo(f"FAILED: {what}: {shown.error}", err=True)
        raise typer.Exit(1)
    count = len(shown.tasks)
    tasks = "1 task" if count == 1 else f"{count} tasks" if count else "no task"
    typer.echo(f"{shown.name} is {target.lower()}" + ("" if target == "STOPPED" else f": {tasks}"))


@app.command()
def restart(
    context: typer.Context,
    name: Name,
    task: Annotated[int | None, typer.Option(help="This task alone.")] = None,
    only_failed: Annotated[bool, typer.Option(help="Only what has failed.")] = False,
    timeout: Timeout = 60,
    url: OwnUrl = "",
) -> None:
    """Restart a connector and its tasks, wait until they run or fail, and tell."""
    with _worker(context, url) as client, _known(client, name):
        if task is not None:
            client.ask("POST", "connectors", name, "tasks", str(task), "restart")
        else:
            wanted = {"includeTasks": "true", "onlyFailed": str(only_failed).lower()}
            client.ask("POST", "connectors", name, "restart", **wanted)
        _tell(client, name, "RUNNING", timeout)


def _change(path: str, target: str, what: str) -> None:
    def change(context: typer.Context, name: Name, timeout: Timeout = 60, url: OwnUrl = "") -> None:
        with _worker(context, url) as client, _known(client, name):
            client.ask("PUT", "connectors", name, path)
            _tell(client, name, target, timeout)

    change.__doc__ = what
    app.command(path)(change)


_change("pause", "PAUSED", "Pause a connector: its tasks stay and do nothing.")
_change("resume", "RUNNING", "Let a paused or stopped connector go on.")
_change("stop", "STOPPED", "Stop a connector: its tasks go; config and offsets stay.")


@app.command()
def delete(context: typer.Context, name: Name, url: OwnUrl = "") -> None:
    """Delete a connector. Its offsets stay: made again under this name, it goes on from them."""
    with _worker(context, url) as client, _known(client, name):
        client.ask("DELETE", "connectors", name)
    typer.echo(f"{name} is deleted; its offsets stay")


@app.command("log")
def log_(
    context: typer.Context,
    name: Name,
    lines: Annotated[int, typer.Option("-n", "--lines", help="How many lines.", min=1)] = 100,
    url: OwnUrl = "",
    as_json_: AsJson = False,
) -> None:
    """What the workers have logged about a connector of late."""
    with _worker(context, url) as client, _known(client, name):
        found, silent = _lines(client, name, lines)
    for worker in silent:
        typer.echo(f"headrace connectors: the worker {worker} did not answer, its lines are missing", err=True)
    if as_json_:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for line in found:
        at = time.strftime("%H:%M:%S", time.localtime(line["time"]))
        typer.echo(f"{at}.{int(line['time'] % 1 * 1000):03d} {line['level']:<7} {line['text']}")


def _lines(client: WorkerClient, name: str, count: int) -> tuple[list[dict[str, Any]], list[str]]:
    """The last lines of all workers that run the connector, by time; and the workers that could not be asked."""
    asked = client.get("headrace", "connectors", name, "log", lines=str(count))
    found, silent = list(asked["lines"]), []
    status = _optional(client, "connectors", name, "status")
    workers = {each["worker_id"] for each in [status["connector"], *status["tasks"]]} if status else set()
    for worker in sorted(workers - {asked["worker_id"]}):
        try:
            found += WorkerClient(f"http://{worker}").get("headrace", "connectors", name, "log", lines=str(count))[
                "lines"
            ]
        except WorkerError:
            silent.append(worker)
    return sorted(found, key=lambda line: float(line["time"]))[-count:], silent
