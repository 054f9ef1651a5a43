"""A copy of `examples/` whose published ports are free ones, so that the course's ports stay whose they are."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headrace.supervisor.ready import free_port

ROOT = Path(__file__).parents[2]
PORTS = ("9092", "8081", "8083", "5432", "5433", "2181")


@dataclass(frozen=True, slots=True)
class Examples:
    """The copy, and the free port for each of the course's."""

    path: Path
    ports: Mapping[str, str]

    def moved(self, commands: str) -> str:
        """Commands with the ports of this copy."""
        return re.sub(r"--port (\d+)", lambda found: f"--port {self.ports[found[1]]}", commands)


def copied(path: Path) -> Examples:
    """Copy the examples into a new folder."""
    shutil.copytree(ROOT / "examples", path, ignore=shutil.ignore_patterns("__pycache__"))
    ports = {port: str(free_port()) for port in PORTS}
    for file in path.glob("*-compose.yaml"):
        text = re.sub(r"- (\d+):(\d+)$", lambda found: f"- {ports[found[1]]}:{found[2]}", file.read_text(), flags=re.M)
        file.write_text(text.replace("localhost:9092", f"localhost:{ports['9092']}"))
    return Examples(path, ports)
