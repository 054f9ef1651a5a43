"""`exec`: a command as it would run in a service's container, on this machine.

It gets the service's environment, the project's address book, Kafka's commands on PATH, and for a database the login.
"""

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from headrace.compose.plan import ServiceKind
from headrace.config.addresses import VARIABLE
from headrace.project.folder import ProjectFolder
from headrace.project.order import ServiceOrder, Wanted
from headrace.project.select import NotFound
from headrace.project.shims import environment, shims
from headrace.project.state import UP, ServiceState, Status, view

NOT_FOUND = 127
SHELLS = ("bash", "sh")
_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_HANDED_ON = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Exec:
    """One command; `variables` are those of `-e`, `directory` that of `-w`."""

    folder: ProjectFolder
    service: str
    command: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    directory: str | None = None

    def run(self) -> int:
        """Run the command with our terminal; its exit status. Raises NotFound."""
        state, order = self._service()
        with shims() as folder:
            variables = {**environment(folder), **self._variables(state, order)}
            program = shutil.which(self.command[0], path=variables["PATH"])
            if program is None:
                print(f"exec: {self.command[0]}: executable file not found in $PATH", file=sys.stderr)
                return NOT_FOUND
            command = [*self._shell(program, folder), *self.command[1:]]
            return run(command, variables, self.directory)

    def _service(self) -> tuple[ServiceState, ServiceOrder]:
        state = view(self.folder)
        if state is None:
            raise NotFound(
                f"no project {self.folder.name} has been started: `headrace up -p {self.folder.name} -f FILE`"
            )
        found = next((it for it in state.services if self.service in (it.name, it.container)), None)
        if found is None:
            raise NotFound(f"no such service: {self.service}; there are {', '.join(it.name for it in state.services)}")
        if found.status is Status.FOREIGN:
            raise NotFound(f"service {found.name} ({found.image}) is a program of your own: run it by itself")
        if found.status not in (*UP, Status.NOT_NEEDED):
            raise NotFound(f'service "{found.name}" is not running: {found.status}')
        wanted = Wanted.parse(self.folder.wanted.read_text(encoding="utf-8"))
        return found, next(order for order in wanted.services if order.name == found.name)

    def _variables(self, state: ServiceState, order: ServiceOrder) -> dict[str, str]:
        variables = {**order.environment, VARIABLE: self.folder.book()}
        if order.kind == ServiceKind.POSTGRES:
            variables |= self._login(state, order)
        return {**variables, **self.variables}

    def _login(self, state: ServiceState, order: ServiceOrder) -> dict[str, str]:
        from headrace.project.database import login, programs

        here = state.port(order.settings["port"])
        return {} if here is None else login(order.settings, here, programs(self.folder).bin)

    def _shell(self, program: str, folder: Path) -> list[str]:
        """A shell for a person gets a prompt that names the service, and keeps PATH whatever is in its own files."""
        if Path(program).name not in SHELLS or len(self.command) > 1 or not sys.stdin.isatty():
            return [program]
        if Path(program).name == "sh":
            return [program]
        file = folder / f"{self.service}.bashrc"
        file.write_text(f"PS1={shlex.quote(f'[{self.service}]$ ')}\n", encoding="utf-8")
        return [program, "--rcfile", str(file)]


def run(command: Sequence[str], variables: Mapping[str, str], directory: str | None = None) -> int:
    """Run a command in the foreground; the terminal's signals are its own to answer. Its exit status, as shells say."""
    children: list[subprocess.Popen[bytes]] = []

    def hand_on(number: int, _: FrameType | None) -> None:
        for child in children:
            child.send_signal(number)

    before = {number: signal.signal(number, lambda *_: None) for number in _OF_THE_TERMINAL}
    before |= {number: signal.signal(number, hand_on) for number in _HANDED_ON}
    try:
        children.append(subprocess.Popen(command, env=variables, cwd=directory))
        status = children[0].wait()
    except OSError as error:
        print(f"exec: {command[0]}: {error.strerror or error}", file=sys.stderr)
        return NOT_FOUND
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status
