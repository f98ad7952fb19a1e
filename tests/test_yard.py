"""The whole tree: linted, formatted, typed, its rooms apart, its generated files current."""

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from producer.events import schemas
from tools import generate, golden

ROOT = Path(__file__).resolve().parent.parent

EVERYONE = frozenset({"errors", "strangers"})
MAY_IMPORT: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "strangers": frozenset(),
    "bodies": frozenset({"strangers"}),
    "answers": frozenset({"bodies", "proxies", "strangers"}),
    "secret_files": frozenset({"errors"}),
    "terminal": frozenset({"strangers"}),
    "wording": frozenset(),
    "backoff": frozenset(),
    "descriptors": frozenset(),
    "garbage": frozenset(),
    "outlet": frozenset(),
    "turns": frozenset(),
    "lookups": frozenset(),
    "logs": frozenset({"outlet", "strangers"}),
    "stopping": frozenset({"logs"}),
    "addresses": frozenset({"strangers"}),
    "authorities": frozenset({"errors"}),
    "proxies": frozenset({"addresses", "strangers"}),
    "settings": EVERYONE | {"addresses", "proxies", "secret_files", "wording"},
    "named_files": EVERYONE | {"authorities", "settings"},
    "webcast": EVERYONE | {"answers", "logs", "lookups.queue", "proxies", "secret_files"},
    "webcast.doors": EVERYONE | {"logs", "secret_files", "webcast"},
    "webcast.wire": frozenset(),
    "events": EVERYONE | {"webcast.wire"},
    "kafka": EVERYONE | {"addresses", "answers", "logs", "secret_files", "settings"},
    "observability": EVERYONE | {"events", "kafka.diagnosis", "logs", "webcast.frames"},
    "delivery": EVERYONE
    | {
        "answers",
        "backoff",
        "kafka",
        "logs",
        "secret_files",
        "settings",
        "events.encoding",
        "events.schemas",
        "observability.metrics",
    },
    "cli_schemas": EVERYONE | {"configured", "delivery", "events.reference", "events.schemas", "terminal"},
    "cli_spool": EVERYONE | {"configured", "delivery", "observability.metrics", "settings", "terminal"},
    "assignments": EVERYONE | {"descriptors", "kafka.diagnosis", "logs"},
    "bugs": EVERYONE | {"logs", "observability.metrics"},
    "gift_lists": EVERYONE | {"backoff", "bugs", "events", "logs", "observability.metrics"},
    "replay": EVERYONE | {"delivery.dead_letters", "events", "webcast.wire"},
    "letters": EVERYONE | {"delivery.dead_letters"},
    "cli_dlq": EVERYONE
    | {"configured", "delivery", "events.event", "letters", "observability.metrics", "replay", "settings", "terminal"},
    "pipeline": EVERYONE | {"delivery", "events", "gift_lists", "logs", "observability.metrics", "turns", "webcast"},
    "surroundings": EVERYONE | {"assignments", "bugs", "events", "observability.metrics", "pipeline", "webcast"},
    "entries": EVERYONE | {"assignments.claims", "events", "pipeline"},
    "way": EVERYONE | {"assignments.claims", "logs", "secret_files", "surroundings", "webcast"},
    "memory": EVERYONE | {"assignments.claims", "events", "pipeline", "surroundings", "webcast"},
    "lives": EVERYONE | {"assignments", "events.life", "logs", "memory", "surroundings", "webcast.room"},
    "totals": EVERYONE | {"assignments.claims", "logs", "lookups.plan", "memory", "surroundings", "webcast"},
    "search": EVERYONE | {"assignments", "lives", "logs", "lookups", "surroundings", "way", "webcast"},
    "stay": EVERYONE | {"assignments.claims", "logs", "memory", "pipeline", "surroundings", "way", "webcast"},
    "session": EVERYONE
    | {
        "assignments",
        "backoff",
        "lives",
        "logs",
        "memory",
        "search",
        "stay",
        "surroundings",
        "totals",
        "way",
        "webcast",
    },
    "entrance": EVERYONE | {"assignments", "lookups", "observability.metrics", "proxies", "settings", "webcast"},
    "trial": EVERYONE | {"authorities", "observability.metrics", "entrance", "settings", "webcast"},
    "cli_doors": EVERYONE | {"assignments.claims", "configured", "settings", "terminal", "trial"},
    "worker": EVERYONE | {"assignments", "logs", "observability", "session"},
    "service": EVERYONE
    | {
        "assignments",
        "authorities",
        "bugs",
        "configured",
        "delivery",
        "descriptors",
        "garbage",
        "entrance",
        "entries",
        "events",
        "gift_lists",
        "logs",
        "observability",
        "pipeline",
        "session",
        "settings",
        "stopping",
        "surroundings",
        "turns",
        "webcast",
        "worker",
    },
    "checks": EVERYONE
    | {
        "answers",
        "assignments",
        "authorities",
        "cli_assign",
        "delivery",
        "descriptors",
        "events.schemas",
        "kafka",
        "lookups.plan",
        "named_files",
        "observability.exposition",
        "secret_files",
        "settings",
        "webcast",
    },
    "checks.certificates": frozenset(),
    "checks.verdict": frozenset(),
    "cli_check": EVERYONE | {"checks", "configured", "terminal"},
    "simulator": EVERYONE | {"webcast.wire", "webcast.frames"},
    "local": frozenset({"simulator"}),
    "configured": EVERYONE | {"events.pseudonyms", "logs", "settings"},
    "cli_assign": EVERYONE
    | {"assignments", "configured", "delivery.client", "delivery.topic_plan", "settings", "terminal"},
    "status": EVERYONE | {"assignments", "kafka.inquiry", "lookups.habits"},
    "cli_status": EVERYONE | {"assignments", "status", "terminal"},
    "cli_manners": EVERYONE | {"terminal", "wording"},
    "cli_topics": EVERYONE | {"configured", "delivery", "terminal"},
    "cli_local": EVERYONE | {"local", "terminal"},
    "cli": EVERYONE
    | {
        "authorities",
        "cli_assign",
        "cli_check",
        "cli_dlq",
        "cli_doors",
        "cli_local",
        "cli_manners",
        "cli_schemas",
        "cli_spool",
        "cli_status",
        "cli_topics",
        "configured",
        "delivery",
        "events",
        "local",
        "logs",
        "named_files",
        "service",
        "settings",
        "simulator",
        "terminal",
    },
    "__main__": frozenset({"cli"}),
}
"""What each room of the house may import of ours, beside itself. Nobody but the CLI imports simulator or local."""

PURE = (
    "errors",
    "strangers",
    "addresses",
    "backoff",
    "proxies",
    "wording",
    "checks/certificates",
    "checks/verdict",
    "delivery/acls",
    "delivery/dead_letters",
    "delivery/declared",
    "delivery/lane",
    "delivery/ledger",
    "delivery/letter_cap",
    "delivery/placement",
    "delivery/spool_format",
    "delivery/spool_policy",
    "events",
    "letters",
    "replay",
    "status/board",
    "status/outlook",
    "webcast/doors/broker",
    "webcast/doors/places",
    "webcast/frames",
    "webcast/protocol",
    "webcast/wire/reading",
    "assignments/assignor",
    "assignments/claims",
    "assignments/doors",
    "assignments/holding",
    "assignments/interface",
    "assignments/list_forms",
    "assignments/lists",
    "assignments/pokes",
    "assignments/table",
    "assignments/share_records",
    "assignments/shares",
    "simulator/world",
)
WORLD = frozenset({"asyncio", "logging", "os", "random", "socket", "ssl", "structlog", "time", "httpx", "websockets"})
"""Modules that a pure one has no use for: clocks, sockets, the environment, unseeded randomness, loggers."""
PRINTING: dict[str, list[str]] = {
    "terminal": ["(to or sys.stdout).write", "Console", "sys.stdout.write"],
    "cli_dlq": ["sys.stdout.buffer.write"],  # `dlq show --raw`, which is for files and pipes
    "local/demo": ["Console"],  # which shows what our own simulator says
}
"""Modules that write on standard output or error by themselves, and how."""
SEEDED = frozenset({"simulator/world.py"})
"""Uses `random.Random` with a seed, which is a value like another."""


def modules() -> list[Path]:
    return sorted((ROOT / "producer").rglob("*.py"))


def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def room_of(dotted: str) -> str:
    """The most particular name of the table that a dotted name belongs to."""
    return max((room for room in MAY_IMPORT if f"{dotted}.".startswith(f"{room}.")), key=len, default="")


def forbidden(importer: str, name: str) -> bool:
    """Whether the module `importer` (dotted, below producer) may not import `name`."""
    if not name.startswith("producer."):
        return False
    target = name.removeprefix("producer.")
    room = room_of(importer)
    if target == "__version__" or f"{target}.".startswith(f"{room.partition('.')[0]}."):
        return False
    return not any(f"{target}.".startswith(f"{allowed}.") for allowed in MAY_IMPORT[room])


def checked_in(place: Path) -> bytes | None:
    return (ROOT / place).read_bytes() if (ROOT / place).is_file() else None


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_what_its_room_may(path: Path) -> None:
    importer = ".".join(path.relative_to(ROOT / "producer").with_suffix("").parts).removesuffix(".__init__")
    if importer == "__init__":
        return

    # `from producer import logs` imports the module producer.logs.
    broken = [name for name in imported(path) if forbidden(importer, name)]

    assert broken == []


def test_the_import_rule_notices_a_wall_that_is_crossed() -> None:
    assert forbidden("events.mapping", "producer.webcast.protocol.Protocol")
    assert forbidden("webcast.room", "producer.events.mapping")
    assert forbidden("delivery.publisher", "producer.webcast.frames")
    assert forbidden("session", "producer.simulator.world")
    assert not forbidden("events.mapping", "producer.webcast.wire.Envelope")
    assert not forbidden("simulator.server", "producer.webcast.frames")


@pytest.mark.parametrize("room", PURE)
def test_pure_modules_reach_for_nothing_of_the_world(room: str) -> None:
    folder = ROOT / "producer" / room
    paths = sorted(folder.glob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]

    reached = {
        (path.name, name)
        for path in paths
        for name in imported(path)
        if name.partition(".")[0] in WORLD and str(path.relative_to(ROOT / "producer")) not in SEEDED
    }

    assert reached == set()


def printing(path: Path) -> list[str]:
    """What of a module writes on standard output or error, by itself: `print`, `sys.stdout.write`, rich's console."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    written = [ast.unparse(call) for call in calls]
    return [
        call for call in written if re.fullmatch(r"print|.*\bsys\.std(out|err)\b.*\.write(lines)?|(.+\.)?Console", call)
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_terminal_writes_where_a_stranger_could_move_a_cursor(path: Path) -> None:
    place = str(path.relative_to(ROOT / "producer").with_suffix(""))
    expected = PRINTING.get(place, [])

    found = printing(path)

    assert found == expected, "use producer/terminal.py"


READER = re.compile(r"(read|decode|parse|from)_\w+")
PLAYED = ("simulator", "local")
"""Folders that play the strangers."""
NOT_FUZZED = {
    "assignments.claim_files.LockedFile.write": "it takes what encode_note made",
    "assignments.leading.Leader.plan": "each member is read by decode_member",
    "assignments.reports.Reports.put": "it writes what we encoded",
    "assignments.list_file.read_list": "it opens the file; what is in it is read by lists.read",
    "assignments.list_forms.text": "a step of lists.read",
    "delivery.placement.key_hash": "it hashes our own key",
    "events.pseudonyms.Pseudonyms.seal": "it hashes bytes, whatever they are",
    "kafka.inquiry._ApiVersionsStruct.parse_response_header": "aiokafka's reader under aiokafka's name",
    "webcast.wire.mending._Mender.mended": "a step of mend",
    "webcast.wire.mending.mend": "a step of what reading.reader makes, which tests/webcast/test_reading_fuzz.py fuzzes",
    "webcast.wire.varints.varint": "a step of the same",
    "webcast.client.Client.send_together": "it sends what our protocol made",
    "webcast.client.Client.data_received": "websockets' reader; ours cuts what it is given into pieces",
}
"""Readers that no fuzz test names, and why."""


def readers(tree: ast.AST, place: str, *, methods: bool = False) -> dict[str, str]:
    """Public functions named so, or given bytes, by dotted name, and how a use of each looks."""
    found: dict[str, str] = {}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            found |= readers(node, f"{place}.{node.name}", methods=True)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            first = next((each for each in node.args.args if each.arg not in ("self", "cls")), None)
            given = ast.unparse(first.annotation) if first is not None and first.annotation else ""
            if READER.fullmatch(node.name) or re.search(r"\bbytes\b", given):
                found[f"{place}.{node.name}"] = f"{'' if methods else place.rpartition('.')[2]}.{node.name}"
    return found


def uses(test: str) -> set[str]:
    """What a test uses: `room.read_page` of the module room, `.receive` of anything; an import alone is no use."""
    nodes = list(ast.walk(ast.parse(test)))
    rooms = {
        alias.name: (node.module or "").rpartition(".")[2]
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    return (
        {f"{rooms[node.id]}.{node.id}" for node in nodes if isinstance(node, ast.Name) and node.id in rooms}
        | {f"{node.value.id}.{node.attr}" for node in attributes if isinstance(node.value, ast.Name)}
        | {f".{node.attr}" for node in attributes}
    )


def test_each_reader_of_strangers_bytes_has_a_fuzz_test() -> None:
    found: dict[str, str] = {}
    for path in modules():
        parts = path.relative_to(ROOT / "producer").with_suffix("").parts
        if parts[0] not in PLAYED:
            found |= readers(ast.parse(path.read_text("utf-8")), ".".join(parts))
    used = set().union(*(uses(path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*fuzz*.py")))

    missing = {reader for reader, use in found.items() if use not in used and reader not in NOT_FUZZED}

    assert missing == set(), "write a fuzz test (tests/fuzzing.py)"
    assert NOT_FUZZED.keys() <= found.keys(), "it is gone"


@pytest.mark.parametrize(
    ("reader", "test", "missing"),
    [
        ("def read_page(page): ...", "from producer.webcast.room import read_page\nfuzz(make, read_page)", False),
        ("def read_page(page): ...", "from producer.webcast.room import read_page", True),
        ("class Note:\n  @classmethod\n  def from_text(cls, text): ...", "fuzz(make, Note.from_text)", False),
        ("class Note:\n  @classmethod\n  def from_text(cls, text): ...", "fuzz(make, Note)", True),
        ("def read_page(page): ...", "from producer.webcast import room\nfuzz(make, room.read_page)", False),
        ("def read_page(page): ...", "def read_page(page): ...\nfuzz(make, read_page)", True),
        ("async def take(data: bytes | str): ...", "", True),
        ("def _read_page(page): ...\ndef read(file: Path): ...", "", False),
    ],
)
def test_the_rule_about_readers_tells_a_use_from_an_import(reader: str, test: str, missing: bool) -> None:
    found = readers(ast.parse(reader), "webcast.room")

    assert bool(set(found.values()) - uses(test)) is missing


CLOCKS = frozenset({"monotonic", "perf_counter", "time"})


def hurried(source: str) -> list[int]:
    """Lines of a test that a busy machine would fail: deadlines of some seconds, and upper bounds of what a clock says.

    What takes less than a second is a look at what goes on, or not to end in time; a minute or more ends only a hang.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            waits = ast.unparse(node.func).endswith((".timeout", "wait_for"))
            given = [*node.args[:2], *(k.value for k in node.keywords if k.arg in ("timeout", "timeout_seconds"))]
            deadlines = given if waits else given[len(node.args[:2]) :]
            found += [
                node.lineno
                for each in deadlines
                if isinstance(each, ast.Constant) and isinstance(each.value, int | float) and 1 < each.value < 60
            ]
        elif isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
            sides = [node.test.left, *node.test.comparators]
            for (left, right), how in zip(itertools.pairwise(sides), node.test.ops, strict=True):
                smaller = left if isinstance(how, ast.Lt | ast.LtE) else right
                calls = [each.func for each in ast.walk(smaller) if isinstance(each, ast.Call)]
                found += [node.lineno for call in calls if isinstance(call, ast.Attribute) and call.attr in CLOCKS]
    return found


def test_a_busy_machine_fails_no_test() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))

    found = [f"{path.relative_to(ROOT)}:{line}" for path in tests for line in hurried(path.read_text("utf-8"))]

    assert found == []


@pytest.mark.parametrize(
    ("line", "fails"),
    [
        ("async with asyncio.timeout(20): pass", True),
        ("await asyncio.wait_for(room(), 5)", True),
        ("run(command, timeout=30)", True),
        ("assert time.monotonic() - began < 10", True),
        ("assert 10 > time.time() - began", True),
        ("async with asyncio.timeout(120): pass", False),
        ("consumer.consume(num_messages=5, timeout=0.5)", False),
        ("assert time.monotonic() - began > 7", False),
    ],
)
def test_the_rule_about_busy_machines_tells_bounds_from_looks(line: str, fails: bool) -> None:
    assert bool(hurried(line)) is fails


@pytest.mark.parametrize(
    "command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]], ids=" ".join
)
def test_checker_finds_nothing(command: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_generated_files_are_current(tmp_path: Path) -> None:
    places = generate.generate(tmp_path)

    stale = [place for place in places if (tmp_path / place).read_bytes() != checked_in(place)]

    assert stale == [], "run `make generate`"
    assert len(places) == 19 + len(schemas.events())


def test_golden_has_the_files_of_todays_events_and_no_others() -> None:
    names = {path.name for path in (ROOT / golden.FOLDER).iterdir()}

    assert names == {"README.md", *(f"{event}.json" for event in schemas.events())}
