"""producer.terminal: what commands print."""

import json

import pytest

from producer import terminal

HOSTILE = "\x1b]0;owned\x07\x9b2J\x7f\u202e\ud800"


def test_a_line_has_no_control_letter_but_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(f"name {HOSTILE}")
    terminal.complain(HOSTILE)

    printed = capsys.readouterr()
    assert printed.out == "name \\x1b]0;owned\\x07\\x9b2J\\x7f\\u202e\\ud800\n"
    assert printed.err == "\\x1b]0;owned\\x07\\x9b2J\\x7f\\u202e\\ud800\n"


def test_a_document_is_ascii_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.document({"name": HOSTILE}, indent=None)

    printed = capsys.readouterr().out
    assert printed[:-1].isprintable()
    assert printed.isascii()
    assert json.loads(printed) == {"name": HOSTILE}
