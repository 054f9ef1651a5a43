"""Folders, locks, ports' holders and the files on PATH."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.config.addresses import VARIABLE
from headrace.config.properties import parse_properties
from headrace.project.folder import HOME_VARIABLE, ProjectFolder, home, is_locked, known_projects
from headrace.project.holder import Holder, holder
from headrace.project.logs import Follower
from headrace.project.select import folder_name
from headrace.project.servers import escaped
from headrace.project.shell import book
from headrace.project.shims import VARIABLE as SHIMS
from headrace.project.shims import commands, environment, make, standing


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    folder = ProjectFolder.named("course")
    folder.make()
    return folder


def test_a_project_is_known_by_its_state(folder: ProjectFolder, tmp_path: Path) -> None:
    assert known_projects() == []
    folder.state.write_text("{}")
    assert known_projects() == [folder]
    assert home() == tmp_path


@pytest.mark.parametrize("name", ["", "Course", "../x", "-x", "a/b", "a b"])
def test_a_name_that_is_no_project_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="invalid project name"):
        ProjectFolder.named(name)


def test_a_lock_is_held_until_the_last_process_that_inherited_it_has_ended(folder: ProjectFolder) -> None:
    with folder.lock("servers", 0) as descriptor:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(descriptor,))
        with pytest.raises(TimeoutError, match="servers lock is held"), folder.lock("servers", 0.1):
            pass
    assert folder.servers_run()
    child.communicate(b"\n")
    assert folder.wait_ended(10)


def test_the_supervisors_process_is_known_while_it_holds_its_lock(folder: ProjectFolder) -> None:
    with folder.lock("supervisor", 0):
        assert folder.supervisor_pid() == os.getpid()
    assert folder.supervisor_pid() is None
    assert not is_locked(folder.path / "no.lock")


def test_a_projects_own_names_win_over_those_of_others(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"db:5432=10.0.0.1:5432,@{folder.path.parent}")
    assert folder.book() == f"db:5432=10.0.0.1:5432,@{folder.path.parent},@{folder.hosts}"
    assert book() == f"db:5432=10.0.0.1:5432,@{folder.path.parent}"


def test_who_listens_on_a_port_is_found() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        found = holder(port)
    assert isinstance(found, Holder) and found.pid == os.getpid()
    assert str(found).startswith(f"process {os.getpid()} (")
    assert holder(port) is None


@pytest.mark.parametrize("value", ["", " a", "a\\b", "a\nb", "x=y:z", "ü", "#no comment"])
def test_values_come_through_a_properties_file(value: str) -> None:
    assert parse_properties(f"key={escaped(value)}\n") == {"key": value}


def test_docker_names_a_project_after_its_folder(tmp_path: Path) -> None:
    for name, project in (("My Course.7", "mycourse7"), ("_x-y", "x-y"), ("과정", "default")):
        (tmp_path / name).mkdir()
        assert folder_name(tmp_path / name / "compose.yaml") == project


def test_each_name_on_path_starts_this_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    for name in (
        "kafka-topics",
        "kafka-topics.sh",
        "connect-standalone",
        "schema-registry-start",
        "docker",
        "headrace",
    ):
        assert os.access(tmp_path / name, os.X_OK)
        assert (tmp_path / name).read_text().splitlines()[1].startswith(f"exec {sys.executable} -P -m headrace")
    assert commands()["docker-compose"][-1] == "compose"
    shown = subprocess.run([tmp_path / "headrace", "--help"], capture_output=True, text=True, cwd="/")
    assert shown.returncode == 0 and "shell" in shown.stdout
    monkeypatch.setenv(SHIMS, str(tmp_path))
    assert standing() == tmp_path
    assert environment(tmp_path)["PATH"].startswith(f"{tmp_path}{os.pathsep}")


def test_logs_are_shown_by_whole_lines(folder: ProjectFolder) -> None:
    shown: list[str] = []
    log = folder.log("broker")
    log.write_text("one\ntwo\nthr")
    follower = Follower(folder, ["broker", "db"], show=shown.append)
    follower.show_last(1)
    assert shown == ["broker  | two"]
    with log.open("a") as stream:
        stream.write("ee\n")
    follower.show_new()
    assert shown[1:] == ["broker  | three"]
    log.unlink()
    folder.log("db").write_text("first\n")
    follower.show_new()
    log.write_text("anew\n")
    follower.show_new()
    assert shown[2:] == ["db      | first", "broker  | anew"]
