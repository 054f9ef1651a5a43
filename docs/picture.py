"""Draws docs/demo.svg: what `headrace demo` shows on a terminal, rendered from its real output.

    uv run --with pyte --with rich docs/picture.py .venv/bin/headrace demo --seconds 15

The program runs in a pseudo-terminal, pyte keeps its screen, and rich draws the last one.
"""

import io
import os
import pty
import re
import sys
from itertools import groupby
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS, LINES = 110, 24
COLOURS = {"brown": "yellow", "default": None}


def screen_of(command: list[str]) -> pyte.Screen:
    """The screen of a terminal in which the command has run to its end."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    os.environ |= {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        stream.feed(data)
        return data

    pty.spawn(command, read)
    return screen


def text_of(screen: pyte.Screen) -> Text:
    """The screen's characters in their colours, without empty lines around them."""
    lines = [Text() for _ in range(LINES)]
    for row, line in enumerate(lines):
        characters = [screen.buffer[row][column] for column in range(COLUMNS)]
        for (colour, bold), run in groupby(characters, key=lambda each: (each.fg, each.bold)):
            style = Style(color=COLOURS.get(colour, colour), bold=bold)
            line.append("".join(each.data for each in run), style)
        line.rstrip()
    while lines and not lines[-1].plain:
        lines.pop()
    return Text("\n").join(lines)


def main() -> None:
    command = sys.argv[1:]
    console = Console(record=True, width=COLUMNS + 2, file=io.StringIO())
    console.print(Text("$ " + " ".join(["headrace", *command[1:]]), "bold"))
    console.print(text_of(screen_of(command)))
    svg = console.export_svg(title="headrace demo")
    # Pages that show the picture fetch no fonts for it.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono").replace("font-family: arial", "font-family: sans-serif")
    Path(__file__).with_name("demo.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
