"""What commands print: one way, in which no stranger's text moves the cursor or turns the writing."""

import json
import sys
from typing import TextIO

from producer.strangers import shown


def say(line: str = "", *, to: TextIO | None = None) -> None:
    """Print one line, on standard output unless told otherwise."""
    (to or sys.stdout).write(f"{shown(line, most=None)}\n")


def complain(line: str) -> None:
    """Print one line on standard error."""
    say(line, to=sys.stderr)


def document(value: object, *, indent: int | None = 2) -> None:
    """Print JSON, in ASCII without control letters."""
    sys.stdout.write(json.dumps(value, indent=indent).replace("\x7f", "\\u007f") + "\n")
