"""Pages of the documentation whose tables are made from the code."""

import os
import re
from pathlib import Path


def assert_page_has(page: Path, place: re.Pattern[str], wanted: str) -> None:
    """What stands between the first and the third group of `place` is `wanted`; HEADRACE_WRITE_DOCS=1 writes it."""
    text = page.read_text(encoding="utf-8")
    if os.environ.get("HEADRACE_WRITE_DOCS"):
        text = place.sub(lambda found: found[1] + wanted + found[3], text)
        page.write_text(text, encoding="utf-8")
    found = place.search(text)
    assert found is not None
    assert found[2] == wanted
