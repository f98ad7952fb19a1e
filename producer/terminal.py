"""What commands print: one way, in which no stranger's text moves the cursor or turns the writing."""

import json
import sys
from typing import TextIO

from rich.console import Console, RenderableType

from producer.strangers import shown

PIPED_COLUMNS = 160
WOULD_CHANGE = 2
"""The exit status of a plan with --detailed-exitcode that is not what is there."""


def say(line: str = "", *, to: TextIO | None = None) -> None:
    """Print one line, on standard output unless told otherwise."""
    (to or sys.stdout).write(f"{shown(line, most=None)}\n")


def complain(line: str) -> None:
    """Print one line on standard error."""
    say(line, to=sys.stderr)


def draw(picture: RenderableType, *, soft_wrap: bool = False) -> None:
    """Print a table or a text with styles of ours, which are colours on a terminal only; a pipe has 160 columns.

    Its styles are control letters too, so here nothing is escaped: what strangers say in it must be `shown` before.
    """
    is_terminal = sys.stdout.isatty()
    width = None if is_terminal else PIPED_COLUMNS
    # Rich would take FORCE_COLOR for a terminal.
    console = Console(width=width, force_terminal=is_terminal, soft_wrap=soft_wrap, markup=False, highlight=False)
    console.print(picture)


def document(value: object, *, indent: int | None = 2) -> None:
    """Print JSON, in ASCII without control letters."""
    sys.stdout.write(json.dumps(value, indent=indent).replace("\x7f", "\\u007f") + "\n")
