"""Become another program that dies with whoever started it: a test run or a demo that is killed leaves nothing behind.

Linux keeps that promise (prctl(2), PR_SET_PDEATHSIG) from fork to the end, through exec. What asks for it is a fresh
interpreter, since Python code between fork and exec is not safe in a process with threads. Elsewhere the program just
runs. The parent is the thread that started it, so that thread has to outlive it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def leashed(*command: str) -> tuple[str, ...]:
    """Give the command that becomes this one, as our child."""
    # No site-packages and nobody's PYTHONPATH: a few milliseconds, and nothing that could go wrong in between.
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *command)


def main(parent: str, *command: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == int(parent):  # it has not ended before it could be asked
        os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
