"""`deploy/`: an image whose files are there, and services that start as the compose file has it.

There is no Docker in the tests: each service's command runs as a process with the container's environment, on ports of
its own. Names of services are found by the address book, but for the broker's own, which librdkafka looks up by itself.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from headrace.supervisor.ready import free_port
from tests.connect.rig import until
from tests.examples.folder import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_every_file_that_the_image_copies_is_in_the_repository_and_not_ignored():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    sources = [source for line in lines if line.startswith("COPY ") for source in line.split()[1:-1]]
    assert sources == ["pyproject.toml", "requirements.lock", "README.md", "LICENSE", "src"]
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert all((ROOT / source).exists() and source not in ignored for source in sources)
    build = SERVICES["broker"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_the_lock_pins_all_that_the_image_installs():
    """The image installs without the extras; pip takes the versions from the lock."""
    project = (ROOT / "pyproject.toml").read_text()
    wanted = re.search(r"^dependencies = \[(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    assert wanted is not None
    names = [re.split(r"[\[<>=; ]", line.strip(' ",'))[0].lower() for line in wanted[1].splitlines() if '"' in line]
    locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert [name for name in names if name not in locked] == []


def test_what_a_service_waits_for_has_a_health_check():
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[name]


class Containers:
    """Where each service's port is on this machine."""

    def __init__(self) -> None:
        self.ports = {port: str(free_port()) for port in ("29092", "9092", "8081", "8083")}
        names = {"broker": "29092", "schema-registry": "8081", "connect": "8083"}
        self.book = ",".join(f"{name}:{port}=127.0.0.1:{self.ports[port]}" for name, port in names.items())

    def bound(self, text: str) -> str:
        """A listener's address on this machine: the compose file's are those of a container."""
        here = re.sub(r"0\.0\.0\.0:(\d+)", lambda found: f"127.0.0.1:{self.ports[found[1]]}", text)
        here = re.sub(r"//broker:(\d+)", lambda found: f"//127.0.0.1:{self.ports[found[1]]}", here)
        return re.sub(r"localhost[:'](, )?(\d+)", lambda found: found[0].replace(found[2], self.ports[found[2]]), here)


@contextmanager
def running(name: str, containers: Containers, folder: Path) -> Iterator[Path]:
    """The service's process; gives its log."""
    service = SERVICES[name]
    environment = {key: containers.bound(str(value)) for key, value in service.get("environment", {}).items()}
    command = [containers.bound(word).replace("/data", str(folder / "data")) for word in service["command"]]
    program = str(Path(sys.executable).with_name("headrace"))
    everything = {**os.environ, **environment, "HEADRACE_HOSTS": containers.book}
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen([program, *command], stdout=file, stderr=file, env=everything)
    try:
        yield log
    finally:
        process.terminate()
        assert process.wait(20) == 0, log.read_text()


def healthy(name: str, containers: Containers) -> bool:
    """What the container's health check says."""
    _, _, *command = [containers.bound(word) for word in SERVICES[name]["healthcheck"]["test"]]
    return subprocess.run([sys.executable, *command], capture_output=True, timeout=20, check=False).returncode == 0


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[Containers]:
    """Broker, registry and Connect, started."""
    made = Containers()
    assert not healthy("broker", made)
    with ExitStack() as stack:
        logs = [stack.enter_context(running("broker", made, tmp_path))]
        until(lambda: healthy("broker", made), lambda: logs[0].read_text(), 40)
        logs += [stack.enter_context(running(name, made, tmp_path)) for name in ("schema-registry", "connect")]
        until(lambda: healthy("connect", made), lambda: logs[2].read_text(), 60)
        until(lambda: answers(f"http://127.0.0.1:{made.ports['8081']}/subjects"), lambda: logs[1].read_text(), 60)
        yield made


def test_the_services_start_with_the_environment_of_their_containers_and_answer(containers):
    connect = httpx.Client(base_url=f"http://127.0.0.1:{containers.ports['8083']}", trust_env=False)
    with connect:
        assert connect.get("/connectors").json() == []
        classes = {plugin["class"] for plugin in connect.get("/connector-plugins").json()}
    assert "io.confluent.connect.jdbc.JdbcSourceConnector" in classes
    registry = f"http://127.0.0.1:{containers.ports['8081']}"
    assert httpx.get(f"{registry}/config", trust_env=False).json() == {"compatibilityLevel": "BACKWARD"}
