"""`producer check`, then `producer run`, for each set-up on standard input, a line of JSON; what they said likewise.

Each is a process of its own, forked from this one, which has the whole program loaded: to load it takes longer than
most of them run.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

from producer import cli, cli_check, service  # noqa: F401  # the latter two for the command line, which loads them late
from producer.local.leash import PR_SET_PDEATHSIG


def main() -> None:
    for line in sys.stdin:
        set_up = json.loads(line)
        said = {
            name: _said(*arguments, environ=set_up["environ"], open_files=set_up["open_files"])
            for name, arguments in {"check": ("check", "--json"), "run": ("run",)}.items()
        }
        print(json.dumps(said), flush=True)


def _said(*arguments: str, environ: Mapping[str, str], open_files: int | None) -> tuple[int, str]:
    """The exit status and what was printed by a command, which is told to end once it says that it has started."""
    reader, writer = os.pipe()
    command = os.fork()
    if not command:
        _become(*arguments, environ=environ, open_files=open_files, output=writer)
    os.close(writer)
    printed = []
    with os.fdopen(reader, encoding="utf-8") as lines:
        for line in lines:
            printed.append(line)
            if '"event": "started"' in line:
                os.kill(command, signal.SIGTERM)
    _, status = os.waitpid(command, 0)
    return os.waitstatus_to_exitcode(status), "".join(printed)


def _become(*arguments: str, environ: Mapping[str, str], open_files: int | None, output: int) -> NoReturn:
    """Be the command, to its end, which is this process's."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # whoever kills the test run leaves no worker behind
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, output + 1)
    os.environ.clear()
    os.environ.update(environ)
    if open_files is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    sys.argv = ["producer", *arguments]
    cli.main()
    raise SystemExit


if __name__ == "__main__":
    main()
