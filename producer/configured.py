"""This process's settings, with its log set up as they say."""

import os

from producer import logs, settings
from producer.settings import Settings


def configured() -> Settings:
    """Read the environment. Raises StartRefused with one line for each problem."""
    chosen = settings.from_environ(os.environ)
    logs.configure(form=chosen.log_format, level=chosen.log_level)
    return chosen
