"""The READMEs' commands, as printed but for the ports: from nothing to rows in the target, and away again."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from headrace.supervisor.folder import TemporaryFolder
from tests.connect.rig import until
from tests.examples.folder import ROOT, Examples, copied

ENGLISH, KOREAN = (ROOT / name for name in ("README.md", "README.ko.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def commands(readme: Path) -> list[str]:
    """Its fenced sh blocks, which can run one after the other."""
    return re.findall(r"^```sh\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def indented(readme: Path) -> list[str]:
    """Its indented lines without their remarks: commands that are shown and depend on what the reader has."""
    lines = re.findall(r"^    (\S.*)$", readme.read_text(encoding="utf-8"), re.MULTILINE)
    return [line.partition(" #")[0].rstrip() for line in lines]


def test_both_languages_have_the_same_commands_and_the_same_links():
    assert commands(ENGLISH) == commands(KOREAN)
    assert len(commands(ENGLISH)) == 4
    assert indented(ENGLISH) == indented(KOREAN)
    mutual = {ENGLISH.name, KOREAN.name}
    links = [set(LINK.findall(file.read_text(encoding="utf-8"))) - mutual for file in (ENGLISH, KOREAN)]
    assert links[0] == links[1]


@pytest.mark.parametrize("readme", [ENGLISH, KOREAN, ROOT / "examples" / "README.md", ROOT / "deploy" / "README.md"])
def test_every_link_leads_somewhere(readme):
    missing = [link for link in LINK.findall(readme.read_text(encoding="utf-8")) if not (readme.parent / link).exists()]
    assert missing == []


def test_every_command_that_is_named_is_there():
    program = Path(sys.executable).with_name("headrace")
    named = {found for file in (ENGLISH, KOREAN) for found in re.findall(r"`?headrace ([a-z-]+)", file.read_text())}
    known = subprocess.run([program, "--help"], capture_output=True, text=True, check=True, env=_wide()).stdout
    assert {name for name in named if not re.search(rf"(?m)^\W*{name} ", known)} == set()


def _wide() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "200"}


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the embedded PostgreSQL may use, whoever runs the tests."""
    with TemporaryFolder("headrace-readme-") as folder:
        yield folder.path


class Shell:
    """Runs the README's blocks, each where the one before ended; `headrace down` at the end, whatever happened."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HEADRACE_HOME": str(examples.path.parent / "home"),
            "CONNECT_URL": f"http://localhost:{examples.ports['8083']}",
        }

    def run(self, block: str) -> str:
        """What it printed. Fails where a command does."""
        lines = self.examples.moved(block).replace("cd examples\n", "")
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", lines],
            cwd=self.examples.path,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def shell(place: Path) -> Iterator[Shell]:
    shell = Shell(copied(place / "examples"))
    yield shell
    shell.run("headrace down -v || true")


def test_the_commands_bring_rows_from_nothing_to_the_target_and_leave_nothing(shell):
    start, flow, look, end = commands(ENGLISH)
    listed = shell.run(start)
    assert {"postgres-server", "broker", "schema-registry", "connect", "target-postgres-server"} <= set(listed.split())
    running = shell.run(flow).splitlines()
    assert [line.split()[:3] for line in running[-2:]] == [
        ["postgres-sink-connector", "sink", "RUNNING"],
        ["postgres-source-connector", "source", "RUNNING"],
    ]
    target = f"postgresql://targetuser:targetpw@127.0.0.1:{shell.examples.ports['5433']}/targetdatabase"
    until(lambda: _count(target) == 20, lambda: f"{_count(target)} rows in the target", 60)
    seen = shell.run(look)
    assert seen.count('"payload":{"id":') == 20
    assert "(5 rows)" in seen
    shell.run(end)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(target)


def _count(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT count(*) FROM iris_data").fetchone()
    assert found is not None
    return int(found[0])
