"""`python -m producer` is `producer`."""

import os
import signal
import sys


def main() -> None:
    """Run the command line, which takes a second to import."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))
    if sys.argv[1:2] in (["run"], ["simulate"]):
        # Nothing has begun until they take the signals over; but a container's first process that has no
        # handler is sent none.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from producer import cli

    cli.main()


if __name__ == "__main__":
    main()
