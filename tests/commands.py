"""Our commands by the dozen: each in a process of its own, forked from one that has imported them already."""

import atexit
import functools
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO

from producer import __main__, cli_check, logs, service  # noqa: F401  # what commands import late
from producer.local.programs import without_settings


class Commands:
    """Runs `producer` with nothing on standard input, and with output that is no terminal."""

    def __init__(self, pipes: "subprocess.Popen[str]") -> None:
        self._pipes = pipes

    def __call__(self, *arguments: str, environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        """Run one, and wait for its end."""
        assert self._pipes.stdin is not None
        assert self._pipes.stdout is not None
        self._pipes.stdin.write(json.dumps([arguments, dict(environ)]) + "\n")
        self._pipes.stdin.flush()
        status, out, problems = json.loads(self._pipes.stdout.readline())
        return subprocess.CompletedProcess(arguments, status, out, problems)


@contextmanager
def commands(environ: Mapping[str, str]) -> Iterator[Commands]:
    """Import our commands in a process that has this environment."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.commands"],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Commands(process)
        process.communicate()


@functools.cache
def ours() -> Commands:
    """Those with this process's environment, but for settings, until it ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(commands(without_settings(os.environ)))


def _serve() -> None:
    gc.freeze()
    for line in sys.stdin:
        arguments, environ = json.loads(line)
        with (
            tempfile.TemporaryFile("w+", errors="backslashreplace") as out,
            tempfile.TemporaryFile("w+", errors="backslashreplace") as problems,
        ):
            if (child := os.fork()) == 0:
                _become(arguments, environ, out, problems)
                return
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print(json.dumps([status, *map(_content, (out, problems))]), flush=True)


def _become(arguments: list[str], environ: dict[str, str], out: IO[str], problems: IO[str]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, out.fileno(), problems.fileno())):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["producer", *arguments]
    try:
        __main__.main()
    except SystemExit as end:  # and without what Python does at its end, which would take longest
        assert isinstance(end.code, int | None), end.code
        sys.stderr.flush()
        logs.flush()
        os._exit(end.code or 0)


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


if __name__ == "__main__":
    _serve()
