"""`headrace up`: the broker and the Connect worker in the foreground, or what compose files name."""

import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from headrace.supervisor.interrupts import Interrupted, Interrupts
from headrace.supervisor.process import ProcessFailed
from headrace.supervisor.restarts import Restarts
from headrace.supervisor.stack import BROKER_PORT, CONNECT_PORT, REGISTRY_PORT, Ports, PortTaken, Stack
from headrace.supervisor.supervisor import Server, Supervisor


def command(
    services: Annotated[
        list[str] | None, typer.Argument(help="Of the compose files, these alone.", metavar="[SERVICE]...")
    ] = None,
    file: Annotated[list[str] | None, typer.Option("--file", "-f", help="A compose file; several are merged.")] = None,
    project: Annotated[str | None, typer.Option("--project-name", "-p", help="The project's name.")] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when all is ready.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Without files: where data and logs are kept.")] = None,
    broker_port: Annotated[int, typer.Option(min=1, max=65535, help="The broker's port.")] = BROKER_PORT,
    connect_port: Annotated[int, typer.Option(min=1, max=65535, help="The REST port of Connect.")] = CONNECT_PORT,
    registry_port: Annotated[int, typer.Option(min=1, max=65535, help="The registry's port.")] = REGISTRY_PORT,
) -> None:
    """Run broker, registry and Connect worker until Ctrl-C; with -f, or in a compose file's folder, what that names."""
    ports = (broker_port, connect_port, registry_port)
    if data_dir is None:
        if ports != (BROKER_PORT, CONNECT_PORT, REGISTRY_PORT):
            print("headrace up: a compose file says its ports itself: give --data-dir, too", file=sys.stderr)
            raise typer.Exit(1)
        _run_project(file or [], project, services or [], detach)
    if file or project or services or detach:
        print("headrace up: --data-dir is for the plain servers: leave it out, or -f, -p and -d", file=sys.stderr)
        raise typer.Exit(1)
    began = time.monotonic()
    stack = Stack(data_dir, Ports(*ports))
    try:
        stack.ports.raise_if_taken()
        data_dir.mkdir(parents=True, exist_ok=True)
        with Interrupts() as interrupts:
            run(stack, interrupts, began)
    except (PortTaken, ProcessFailed, OSError) as error:
        print(f"headrace up: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def _run_project(files: list[str], project: str | None, services: list[str], detach: bool) -> NoReturn:
    # Imported here, since the plain servers are to be ready in two seconds.
    from headrace.project.commands import up
    from headrace.project.select import Selection, has_files

    if not files and not has_files():
        print(
            "headrace up: --data-dir DIR runs a broker, a registry and a Connect worker; -f FILE runs what a compose "
            "file names, and there is none here",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    raise typer.Exit(up(Selection(files, project), services, detach))


def run(stack: Stack, interrupts: Interrupts, began: float) -> None:
    """Start, bring back what ends, stop at a signal. Raises ProcessFailed naming a server that never was ready."""
    supervisor = Supervisor(interrupts)
    restarts = Restarts(_tell)
    try:
        supervisor.start([stack.broker()])
        supervisor.start([stack.connect(), stack.registry()])
        print(_ready_line(stack, time.monotonic() - began), flush=True)
        while not interrupts.sleep(0.2):
            restarts.tick(supervisor.servers)
    except Interrupted:
        pass
    finally:
        if interrupts.asked:
            print("stopping (Ctrl-C again to stop at once)", flush=True)
        supervisor.stop()
    print("stopped", flush=True)


def _tell(server: Server, text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}; its log is {server.process.log}", flush=True)


def _ready_line(stack: Stack, seconds: float) -> str:
    ports = stack.ports
    return (
        f"ready in {seconds:.1f} s: broker localhost:{ports.broker}, registry http://localhost:{ports.registry}, "
        f"Connect http://localhost:{ports.connect}, logs in {stack.data_dir} (Ctrl-C stops)"
    )
