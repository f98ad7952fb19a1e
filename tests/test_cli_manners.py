"""The manners of every command: help, pipes, Ctrl-C, and one sentence for each mistake."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from producer.cli import application
from producer.local.programs import without_settings
from tests.commands import Commands, commands
from tests.patience import HANGS_SECONDS

NOWHERE = "127.0.0.1:9"
OF_THE_SHELL = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONUNBUFFERED")
KAFKA = {"kafka_bootstrap_servers": NOWHERE}


def below(app: typer.Typer, *path: str) -> list[tuple[str, ...]]:
    """Every command and group below, by the words that call it."""
    found = [path]
    for command in app.registered_commands:
        assert command.callback is not None
        found.append((*path, command.name or command.callback.__name__.replace("_", "-")))
    for group in app.registered_groups:
        assert group.typer_instance is not None
        found += below(group.typer_instance, *path, str(group.name))
    return found


COMMANDS = below(application)


def environ(**settings: str) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if name not in OF_THE_SHELL}
    return without_settings(bare) | {f"PRODUCER_{name.upper()}": value for name, value in settings.items()}


@pytest.fixture(scope="module")
def quickly() -> Iterator[Commands]:
    """FORCE_COLOR, as GITHUB_ACTIONS does in CI, has Rich take what is no terminal for one."""
    with commands(environ() | {"FORCE_COLOR": "1"}) as run:
        yield run


def producer(*arguments: str, more: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "producer", *arguments],
        env=environ() | (more or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANGS_SECONDS,
        check=False,
    )


def test_all_commands_are_met_here() -> None:
    assert {("run",), ("topics", "plan"), ("assign", "set"), ("doors", "test"), ("spool", "drain")} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words) or "producer")
def test_every_command_has_help_without_an_escape(command: tuple[str, ...], quickly: Commands) -> None:
    asked = quickly(*command, "--help", environ=environ())
    short = quickly(*command, "-h", environ=environ() | {"NO_COLOR": "1"})

    assert (asked.returncode, asked.stderr, "\x1b" in asked.stdout) == (0, "", False)
    assert f"Usage: {' '.join(('producer', *command))}" in asked.stdout
    assert short.stdout == asked.stdout


@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}], ids=["", "NO_COLOR", "FORCE_COLOR"])
def test_a_piped_table_is_wide_and_plain(more: dict[str, str]) -> None:
    lines = producer("settings", more={"COLUMNS": "40", **more}).stdout.splitlines()

    assert max(map(len, lines)) in range(140, 161)
    assert not any("\x1b" in line for line in lines)


def test_help_on_a_terminal_has_colours_but_where_nobody_wants_them() -> None:
    def shown(**more: str) -> bytes:
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "rb", buffering=0) as screen:
            process = subprocess.Popen(
                [sys.executable, "-m", "producer", "settings"], env=environ() | {"TERM": "xterm", **more}, stdout=theirs
            )
            os.close(theirs)
            said = b""
            try:
                while more_said := screen.read(65_536):
                    said += more_said
            except OSError:  # how Linux says that the other end is closed
                pass
            assert process.wait(HANGS_SECONDS) == 0
        return said

    assert b"\x1b[1m" in shown()
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]", shown(NO_COLOR="1"))


def test_the_shell_completes_commands() -> None:
    def completed(words: str) -> list[str]:
        asked = {"_PRODUCER_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return producer(more=asked).stdout.split()

    script = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m producer --show-completion; true"],
        env=environ(),
        capture_output=True,
        text=True,
        timeout=HANGS_SECONDS,
        check=False,
    )

    assert "complete -o default -F _producer_completion producer" in script.stdout
    assert completed("producer to") == ["topics"]
    assert completed("producer assign e") == ["enable", "export"]


# ------------------------------------------------------------------------------------------- closed pipes and Ctrl-C


@pytest.mark.parametrize("arguments", [("version",), ("schemas", "docs"), ("--help",)], ids=" ".join)
@pytest.mark.parametrize("more", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["at its end", "at once"])
def test_a_reader_that_goes_away_ends_a_command_without_a_word(
    arguments: tuple[str, ...], more: dict[str, str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    process = subprocess.run(
        [sys.executable, "-m", "producer", *arguments],
        env=environ() | more,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=HANGS_SECONDS,
        check=False,
    )
    os.close(writer)

    assert (process.returncode, process.stderr) == (141, b"")


INTERRUPTED = """
import os, signal, sys
class Interrupts:
    def find_spec(self, name, *_):
        if name == os.environ["INTERRUPTED_AT"]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
"""
"""A sitecustomize that interrupts the process where it begins to import a module."""


@pytest.mark.parametrize("module", ["producer.cli", "aiokafka", "producer.cli_spool"])
def test_ctrl_c_during_the_imports_ends_a_command_without_a_word(module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED)

    result = producer("schemas", "list", more={"PYTHONPATH": str(tmp_path), "INTERRUPTED_AT": module})

    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "plan"),
        ("assign", "list"),
        ("schemas", "check"),
        ("check",),
        ("health",),
        ("doors", "test", "ann"),
    ],
    ids=" ".join,
)
def test_ctrl_c_while_a_server_is_silent_ends_a_command_without_a_traceback(arguments: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(HANGS_SECONDS)
        port = server.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        chosen = {"kafka_bootstrap_servers": f"127.0.0.1:{port}", "schema_registry_url": url, "upstream": url}
        with (
            subprocess.Popen(
                [sys.executable, "-m", "producer", *arguments],
                env=environ(**chosen, http_port=str(port)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process,
            server.accept()[0],
        ):
            process.send_signal(signal.SIGINT)
            out, problems = process.communicate(timeout=HANGS_SECONDS)

    assert process.returncode == 130
    assert b"Traceback" not in problems, problems.decode()
    assert b"Traceback" not in out


# ---------------------------------------------------------------------------------------------------------- mistakes


SEE = "; `producer {} --help` says what there is"
REFUSES = (
    f"{NOWHERE} refuses connections, so nobody listens there, now or at all: look at PRODUCER_KAFKA_BOOTSTRAP_SERVERS"
)
NO_KAFKA = "PRODUCER_KAFKA_BOOTSTRAP_SERVERS is not set: Kafka's bootstrap servers, host:port, with commas"
NO_UPSTREAM = "PRODUCER_UPSTREAM is not set: Where LIVE rooms are: `tiktok`, or the URL of a simulator"
NO_REGISTRY = "PRODUCER_SCHEMA_REGISTRY_URL is not set: there is no registry to ask"
NO_SPOOL = "PRODUCER_SPOOL_DIRECTORY is not set: there is no spool"
NOT_A_NAME = "is not a unique id (2 to 24 letters, digits, _ and .)"
LETTERS = "it may have letters, digits and . _ - alone"
MISTAKES: list[tuple[str, dict[str, str], str]] = [
    # what is typed
    ("aply", {}, "No such command 'aply'; `producer --help` says what there is"),
    ("topics aply", {}, f"No such command 'aply'. Did you mean 'apply'?{SEE.format('topics')}"),
    ("topics plan --jsn", {}, f"No such option: --jsn (Possible options: --json){SEE.format('topics plan')}"),
    ("topics plan now", {}, f"Got unexpected extra argument(s) (now){SEE.format('topics plan')}"),
    ("assign add", {}, f"Missing argument 'names'{SEE.format('assign add')}"),
    ("assign add no+name", KAFKA, f"the command line: line 1: 'no+name' {NOT_A_NAME}"),
    (
        "assign add ann --priority x",
        KAFKA,
        f"Invalid value for '--priority': it is no whole number{SEE.format('assign add')}",
    ),
    (
        "assign add ann --priority 9999999999",
        KAFKA,
        "ann: priority must be a whole number, 1000000000 at the most, not '9999999999'",
    ),
    ("assign add ann --weight 0", KAFKA, "ann: weight must be a number above 0, 1000000 at the most, not '0.0'"),
    (
        "assign add ann --doors sign,sign",
        KAFKA,
        "ann: doors must be names of doors, each once, with commas, not 'sign,sign'",
    ),
    ("assign add ann --label team", KAFKA, "--label wants name=value, not 'team'"),
    (
        "assign set ann",
        KAFKA,
        "say what to set, such as --priority 5; `producer assign set --help` says what there is",
    ),
    ("assign apply none.yaml", KAFKA, "the list none.yaml cannot be read: No such file or directory"),
    (
        "assign apply none.yaml --detailed-exitcode",
        KAFKA,
        "--detailed-exitcode is for a plan: say --dry-run, too",
    ),
    (
        "assign export --as xml",
        KAFKA,
        f"Invalid value for '--as': 'xml' is not one of 'yaml', 'csv', 'lines'{SEE.format('assign export')}",
    ),
    (
        "dlq list --limit 0",
        KAFKA,
        f"Invalid value for '--limit': it must be 1 or more{SEE.format('dlq list')}",
    ),
    ("dlq list --since soon", KAFKA, "--since soon: neither how long ago (30m, 2h, 1d) nor an ISO time"),
    ("dlq show 7", KAFKA, "7 is no letter; write PARTITION:OFFSET, as `producer dlq list` does"),
    (
        "status --watch",
        KAFKA,
        "--watch needs a terminal, to draw on and to read keys from: without it all is printed once",
    ),
    (
        "status --watch --why ann",
        KAFKA,
        "--why tells of one streamer once, --watch keeps all of them current: not both at a time",
    ),
    ("doors test", {}, "say whose room: a streamer's page or unique id, or --room with the id of one"),
    (
        "doors test ann --door window",
        {"upstream": "tiktok"},
        "there is no door 'window'; there are direct, sign, lease, gateway",
    ),
    # what is not set
    ("run", {"upstream": "tiktok"}, NO_KAFKA),
    ("run", KAFKA, NO_UPSTREAM),
    ("topics plan", {}, NO_KAFKA),
    ("topics apply", {}, NO_KAFKA),
    ("topics acls", {}, NO_KAFKA),
    ("assign list", {}, NO_KAFKA),
    ("assign poke ann", {}, NO_KAFKA),
    ("status", {}, NO_KAFKA),
    ("dlq list", {}, NO_KAFKA),
    ("dlq replay", {}, NO_KAFKA),
    ("schemas check", {}, NO_REGISTRY),
    ("schemas register", {}, NO_REGISTRY),
    ("spool stat", {}, NO_SPOOL),
    ("spool export", {}, NO_SPOOL),
    ("spool drain", {}, NO_KAFKA),
    ("doors test ann", {}, NO_UPSTREAM),
    # what is set wrongly
    (
        "run",
        KAFKA | {"upstream": "https://www.tiktok.com"},
        "PRODUCER_UPSTREAM: it is no URL that can be used (TikTok itself is not named by a URL: say tiktok)",
    ),
    (
        "schemas check",
        {"schema_registry_url": "registry:8081"},
        "PRODUCER_SCHEMA_REGISTRY_URL: it is no URL that can be used (it must begin with http:// or https:// and "
        "have no space)",
    ),
    (
        "topics plan",
        {"kafka_bootstrap_servers": "kafka:90920"},
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS: server 1 is not host:port, with IPv6 in brackets: its host or port is none",
    ),
    ("topics plan", KAFKA | {"topic_partitions": "six"}, "PRODUCER_TOPIC_PARTITIONS='six': it is no whole number"),
    ("topics plan", KAFKA | {"topic_partitions": "0"}, "PRODUCER_TOPIC_PARTITIONS='0': it must be 1 or more"),
    ("topics plan", KAFKA | {"topic_prefix": "live events"}, f"PRODUCER_TOPIC_PREFIX: {LETTERS}"),
    (
        "topics plan",
        KAFKA | {"topic_prefx": "live"},
        "PRODUCER_TOPIC_PREFX is not a setting; did you mean PRODUCER_TOPIC_PREFIX?",
    ),
    (
        "status",
        KAFKA | {"log_level": "loud"},
        "PRODUCER_LOG_LEVEL='loud': it must be 'debug', 'info', 'warning' or 'error'",
    ),
    ("spool stat", {"spool_directory": "/nowhere"}, "PRODUCER_SPOOL_DIRECTORY=/nowhere is not a directory"),
    # what does not answer
    ("topics plan", KAFKA, f"Kafka cannot be used: {REFUSES}"),
    ("dlq list", KAFKA, f"Kafka cannot be used: {REFUSES}"),
    ("assign list", KAFKA, f"the shared list cannot be used: {REFUSES}"),
    ("status", KAFKA, f"the shared list cannot be used: {REFUSES}"),
    ("health", {"http_port": "9"}, "no answer from http://127.0.0.1:9/livez: [Errno 111] Connection refused"),
]


@pytest.mark.parametrize(
    ("typed", "settings", "sentence"), MISTAKES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_mistake_is_one_sentence(typed: str, settings: dict[str, str], sentence: str, quickly: Commands) -> None:
    result = quickly(*typed.split(), environ=environ(**settings))

    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"producer: {sentence}\n")


@pytest.mark.parametrize(
    "typed",
    [
        "assign add ann",
        "assign set ann --priority 1",
        "assign disable ann",
        "assign remove ann",
        "assign apply -",
        "assign list",
        "assign export",
        "assign poke ann",
        "status",
        "status --why ann",
    ],
)
def test_where_the_list_is_a_file_it_is_said_who_reads_it(typed: str, quickly: Commands) -> None:
    result = quickly(*typed.split(), environ=environ(assignments_file="list.yaml", **KAFKA))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "producer: PRODUCER_ASSIGNMENTS_FILE=list.yaml: the workers read that file, so edit it; `assign` and `status` "
        "are for a list that is a Kafka topic\n"
    )


@pytest.mark.parametrize(
    "command", ["settings", "version", "schemas list", "schemas docs", "doors", "topics acls --json"]
)
def test_what_needs_no_setting_asks_for_none(command: str, quickly: Commands) -> None:
    result = quickly(*command.split(), environ=environ())

    assert (result.returncode, result.stderr) == (0, "")
    if command.endswith("--json"):
        assert json.loads(result.stdout)[0]["operations"] == ["Write"]
