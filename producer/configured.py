"""This process's settings, with its log set up as they say, and what is made of them alone."""

import os

from producer import logs, settings
from producer.events.pseudonyms import Pseudonyms
from producer.settings import Settings

KAFKA = "kafka_bootstrap_servers"
UPSTREAM = "upstream"


def configured(*needed: str) -> Settings:
    """Read the environment, where those of KAFKA and UPSTREAM must be set that the command names.

    Raises StartRefused with one line for each problem.
    """
    chosen = settings.from_environ(os.environ, needed=needed)
    logs.configure(form=chosen.log_format, level=chosen.log_level)
    return chosen


def pseudonyms(chosen: Settings) -> Pseudonyms | None:
    """Under which names viewers leave; None: under their own. Raises StartRefused."""
    file = chosen.viewers_key_file
    return None if file is None else Pseudonyms(settings.secret("viewers_key_file", file))
