"""`down`: stops a project's servers and removes what goes with them; `-v` removes the volumes, too."""

import os
import shutil
import signal
from collections.abc import Callable

from headrace.project.folder import ProjectFolder
from headrace.project.state import Status, view

STOP_S = 120.0
HURRY_S = 10.0
POLL_S = 0.03

Say = Callable[[str], None]


class StillRunning(RuntimeError):
    """Servers that did not stop; the text names who."""


def down(folder: ProjectFolder, volumes: bool, say: Say) -> bool:
    """Stop and remove the project; whether there was one. Raises StillRunning."""
    state = view(folder)
    if state is None and not (volumes and folder.volumes()):
        return False
    stop(folder)
    for service in () if state is None else state.services:
        if service.status not in (Status.NOT_NEEDED, Status.FOREIGN):
            say(f" Container {service.container}  Removed")
    remove(folder, volumes, say)
    return True


def stop(folder: ProjectFolder) -> None:
    """Have the supervisor stop everything; wait for what a killed supervisor has left to end by itself."""
    pid = folder.supervisor_pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    if folder.wait_ended(STOP_S):
        return
    pid = folder.supervisor_pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    if not folder.wait_ended(HURRY_S):
        raise StillRunning(f"servers of project {folder.name} still run: see {folder.supervisor_log}")


def remove(folder: ProjectFolder, volumes: bool, say: Say) -> None:
    """Remove what goes with the services; the volumes that a compose file names only where that is asked for.

    Data that stands for a folder of the user's own, in `bound`, no command removes.
    """
    shutil.rmtree(folder.path / "services", ignore_errors=True)
    shutil.rmtree(folder.path / "logs", ignore_errors=True)
    for volume in folder.volumes() if volumes else []:
        shutil.rmtree(volume)
        say(f" Volume {folder.name}_{volume.name}  Removed")
    for file in (folder.state, folder.wanted, folder.hosts):
        file.unlink(missing_ok=True)
    if not folder.volumes() and not any(folder.path.glob("bound/*")):
        shutil.rmtree(folder.path)
