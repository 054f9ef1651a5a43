"""The number of cases that agreed with Java, shown at the end and held against its target where all tests ran."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracle import counter


@pytest.fixture(scope="session", autouse=True)
def enough_cases(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    modules = {Path(item.path) for item in request.session.items}
    everything = set(Path(__file__).parent.glob("test_*.py")) <= modules and not request.config.option.keyword
    # Where files run side by side, each process sees its own share; without Java there is none.
    here = counter.total() and not hasattr(request.config, "workerinput")
    if everything and here and not request.session.testsfailed:
        assert counter.total() >= counter.TARGET, f"{counter.summary()}: fewer than {counter.TARGET:,}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if counter.total():
        terminalreporter.write_line(counter.summary())
