"""Names of plug-ins that nothing has, and what was probably meant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.connect.api import ConfigError
from headrace.connect.runtime.host import plugins


@pytest.fixture
def masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution on the plug-in path: `Mask` has both halves, `Route` works on keys alone."""
    info = tmp_path / "masks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: masks\nVersion: 1.0\n")
    names = ["org.example.Mask$Key", "org.example.Mask$Value", "org.example.Route$Key"]
    (info / "entry_points.txt").write_text(
        "[headrace.transforms]\n" + "".join(f"{name} = masks:Mask\n" for name in names)
    )
    monkeypatch.syspath_prepend(tmp_path)
    plugins.add_plugin_path("")
    yield
    monkeypatch.undo()
    plugins.add_plugin_path("")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("org.example.Mask", "did you mean org.example.Mask$Value (or $Key)? an unquoted heredoc drops $Value"),
        ("Mask", "did you mean Mask$Value (or $Key)? an unquoted heredoc drops $Value"),
        ("org.example.Route", "did you mean org.example.Route$Key? an unquoted heredoc drops $Key"),
        (
            "org.apache.kafka.connect.transforms.TimestampConverter",
            (
                "did you mean org.apache.kafka.connect.transforms.TimestampConverter$Value (or $Key)? "
                "an unquoted heredoc drops $Value"
            ),
        ),
    ],
)
@pytest.mark.usefixtures("masks")
def test_a_transform_that_lost_its_half_in_a_heredoc_is_understood(name: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plugins.transform_class(name, "transforms.one.type")
    assert str(caught.value).startswith(
        "Failed to find any class that implements Transformation and which name matches"
    )
    assert str(caught.value).endswith(meant)


@pytest.mark.usefixtures("masks")
def test_a_name_that_lost_nothing_gets_no_word_on_heredocs() -> None:
    with pytest.raises(ConfigError) as caught:
        plugins.transform_class("org.example.Other$Value", "transforms.one.type")
    assert "heredoc" not in str(caught.value)
