"""producer.logs: one line is one line, whoever's text is in it, in both forms; and logging raises nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOSTILE = "\x1b]0;owned\x07 \x9b2J \x7f \r\n \u202e \ud800 end"
ESCAPED = "\\x1b]0;owned\\x07 \\x9b2J \\x7f \\r\\n \\u202e \\ud800 end"


def logged(code: str, *, detached: bool = True, **environ: str) -> tuple[bytes, bytes]:
    """What a process writes to standard error that logs as `code` does: as JSON, and as text."""
    lines = (
        "import sys",
        "from producer import logs",
        "logs.detach()" if detached else "",
        f"HOSTILE = {HOSTILE!r}",
        "for form in ('json', 'text'):",
        "    logs.configure(form=form, level='info')",
        *(f"    {line}" for line in code.splitlines()),
        "    sys.stderr.write('\\0\\n')",
        "logs.flush(60)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    as_json, as_text, rest = done.stderr.split(b"\0\n")
    assert rest == b""
    return as_json, as_text


def assert_lines_only(data: bytes) -> None:
    """No control letter, mark of direction or broken letter but the ends of lines."""
    text = data.decode()
    assert all(line.isprintable() for line in text.split("\n")), text


@pytest.mark.parametrize("detached", [False, True])
def test_strangers_text_is_escaped_wherever_it_stands(detached: bool) -> None:
    code = """
logs.bind(bound=HOSTILE)
logs.get(given=HOSTILE).info(HOSTILE, plain=HOSTILE, listed=[HOSTILE, (HOSTILE,)], named={HOSTILE: {"in": HOSTILE}},
                             sets={HOSTILE}, raw=HOSTILE.encode("utf-8", "surrogatepass"), error=ValueError(HOSTILE))
"""
    data, text = logged(code, detached=detached)
    [line] = data.splitlines()
    entry = json.loads(line)
    del entry["timestamp"]
    assert entry == {
        "event": ESCAPED,
        "level": "info",
        "bound": ESCAPED,
        "given": ESCAPED,
        "plain": ESCAPED,
        "listed": [ESCAPED, [ESCAPED]],
        "named": {ESCAPED: {"in": ESCAPED}},
        "sets": [ESCAPED],
        "raw": repr(HOSTILE.encode("utf-8", "surrogatepass")),
        "error": ESCAPED,
    }
    assert_lines_only(data)
    assert b"\x7f" not in data

    assert_lines_only(text)
    assert len(text.splitlines()) == 1
    assert text.count(b"\\x1b]0;owned") >= 9


def test_a_traceback_is_escaped_line_for_line() -> None:
    code = """
try:
    raise ValueError(HOSTILE) from RuntimeError("the cause")
except ValueError:
    logs.get().error("bug", exc_info=True)
"""
    data, text = logged(code)
    [line] = data.splitlines()
    assert_lines_only(data)
    trace = json.loads(line)["exception"].split("\n")
    assert trace[0] == "RuntimeError: the cause"
    # The line break that it has in it is one of the traceback by now.
    assert trace[-2:] == ["ValueError: \\x1b]0;owned\\x07 \\x9b2J \\x7f \\r", " \\u202e \\ud800 end"]

    assert_lines_only(text)
    assert text.decode().splitlines()[1:] == trace


def test_a_long_text_and_a_long_traceback_are_cut() -> None:
    code = """
class Deep(Exception):
    def __str__(self):
        return "\\n".join(map(str, range(1_000)))
logs.get().error("long", text="a" * 3_000, items=list(range(1_000)), exc_info=Deep())
"""
    [line] = logged(code)[0].splitlines()
    entry = json.loads(line)
    assert entry["text"] == "a" * 1_999 + "…"
    assert entry["items"] == list(range(200))
    trace = entry["exception"].split("\n")
    assert (len(trace), trace[0], trace[100], trace[-1]) == (201, "Deep: 0", "... 800 lines ...", "999")


def test_logging_raises_nothing() -> None:
    code = """
import math, sys
class Silent:
    def __str__(self): raise RuntimeError("no")
    __repr__ = __str__
class Odd(Exception):
    def __str__(self): raise RuntimeError("no")
class Shifty(dict):
    def items(self): raise RuntimeError("no")
deep = []
for _ in range(100_000): deep = [deep]
round_ = {}; round_["again"] = round_
broken = SyntaxError("x", (object(), object(), object(), object()))
for number, value in enumerate((Silent(), Odd(), Shifty(a=1), deep, round_, 10**5_000, -(10**5_000), math.nan, math.inf,
                                "\\ud800", [Silent()], {Silent(): Silent()}, object, lambda: None)):
    logs.get().info("value", number=number, value=value)
for number, value in enumerate((Odd(), broken, (1, 2, 3), True, "nothing", Silent()), 100):
    logs.get().error("trace", number=number, exc_info=value)
logs.get().info("last")
"""
    data, text = logged(code, LC_ALL="C", PYTHONIOENCODING="ascii")

    assert "last" in text.decode("ascii").splitlines()[-1]
    entries = [json.loads(line, parse_constant=lambda name: pytest.fail(name)) for line in data.splitlines()]
    assert [entry.get("number") for entry in entries] == [*range(14), *range(100, 106), None]
    values = {entry["number"]: entry.get("value") for entry in entries[:-1]}
    assert values[0] == "a Silent that cannot be shown: RuntimeError"
    assert (values[7], values[8], values[9]) == ("nan", "inf", "\\ud800")


def test_on_a_stream_without_these_letters_they_are_escaped() -> None:
    data, text = logged("logs.get().info('x', name='caf\\xe9')", PYTHONIOENCODING="ascii")

    assert b"caf\\u00e9" in data
    assert b"caf\\xe9" in text


def test_a_name_out_of_a_closed_set_is_its_value() -> None:
    code = """
from enum import StrEnum
logs.get().info("x", colour=StrEnum("Colour", {"RED": "red and bright"}).RED)
"""
    data, text = logged(code)

    assert json.loads(data)["colour"] == "red and bright"
    assert b"colour='red and bright'" in text


def test_lines_that_were_dropped_are_told_once_lines_flow_again() -> None:
    read, write = os.pipe()
    code = """
import sys
dropped = 0
def count():
    global dropped
    dropped += 1
logs.detach()
logs.configure(form="json", level="info")
logs.count_dropped(count)
sys.stderr._most_bytes = 100_000
for number in range(5_000):
    logs.get().info("line", number=number)
logs.flush(0)
print(dropped, flush=True)
sys.stdin.read()  # until somebody reads
logs.flush(60)
"""
    with open(read, "rb") as reader:  # noqa: PTH123
        process = subprocess.Popen(
            [sys.executable, "-c", f"from producer import logs\n{code}"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=write,
        )
        os.close(write)
        assert process.stdin is not None
        assert process.stdout is not None
        dropped = int(process.stdout.readline())
        process.stdin.close()
        entries = [json.loads(line) for line in reader]
        process.stdout.close()
        assert process.wait(60) == 0

    numbers = [entry["number"] for entry in entries[:-1]]
    assert dropped > 0
    assert numbers == list(range(5_000 - dropped))
    assert (entries[-1]["event"], entries[-1]["lines"], entries[-1]["level"]) == ("log lines dropped", dropped, "error")
