"""README's "Run it", copied and pasted: each command typed as it stands there, against `producer local up`."""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from producer import settings
from producer.local.leash import leashed
from producer.local.programs import STEP_SECONDS, without_settings
from tests.system.harness import until

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
SECTION = README[README.index("\n## Run it\n") : README.index("\n## What is on the topics\n")]


def blocks(language: str) -> list[str]:
    """The section's code in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)


UP, COMMANDS, OWN = ([line.removeprefix("$ ") for line in block.splitlines()] for block in blocks("console"))
[LIST] = blocks("yaml")


class Terminal:
    """A command that is typed into a shell of its own, in a folder, behind the exports or not."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process, name: str) -> None:
        self._folder = folder
        self._process = process
        self._name = name

    @classmethod
    async def typing(cls, folder: Path, line: str, *, name: str, exported: bool) -> "Terminal":
        places = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        environ = without_settings(os.environ) | {"PATH": places, "TMPDIR": str(folder), "COLUMNS": "80"}
        with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as err:
            process = await asyncio.create_subprocess_exec(
                # In the shell's place, and so it ends with us.
                *leashed("/bin/sh", "-c", f"{COMMANDS[0] if exported else ':'}\nexec {line}"),
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return cls(folder, process, name)

    @property
    def out(self) -> str:
        return (self._folder / f"{self._name}.out").read_text()

    @property
    def err(self) -> str:
        return (self._folder / f"{self._name}.err").read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def says(self, words: str) -> None:
        async def said() -> bool:
            assert self._process.returncode is None, self.err
            return words in self.err

        await until(said)

    async def sent(self, number: signal.Signals) -> int:
        self._process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        async with asyncio.timeout(STEP_SECONDS):
            return await self._process.wait()

    def close(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()


@asynccontextmanager
async def typed(folder: Path, line: str, *, name: str, exported: bool = True) -> AsyncIterator[Terminal]:
    terminal = await Terminal.typing(folder, line, name=name, exported=exported)
    try:
        yield terminal
    finally:
        terminal.close()


async def printed(folder: Path, line: str) -> str:
    """What a command prints that ends by itself, in a shell that has taken the exports."""
    async with typed(folder, line, name="command") as terminal:
        assert await terminal.ended() == 0, terminal.err
        return terminal.out


def test_the_readmes_commands_run_as_they_stand(tmp_path: Path) -> None:
    said: dict[str, str] = {}

    async def run(line: str) -> None:
        async with typed(tmp_path, line, name="run") as worker:

            async def connected() -> bool:
                status = json.loads(await printed(tmp_path, "producer status --json"))
                return any(each.get("state") == "connected" for each in status["streamers"])

            await worker.says('"event": "started"')
            await until(connected)
            assert await worker.sent(signal.SIGINT) == 0, worker.err
            account = json.loads(worker.err.splitlines()[-1])
            assert account["event"] == "stopped"
            assert account["acknowledged"] > 0

    async def main() -> None:
        async with typed(tmp_path, UP[0], name="up", exported=False) as up:
            await up.says("\nready: ")
            for line in COMMANDS[1:]:
                words = shlex.split(line, comments=True)
                if words == ["producer", "run"]:
                    await run(line)
                else:
                    said[" ".join(words)] = await printed(tmp_path, line)
            (tmp_path / "own.yaml").write_text(LIST)
            said["own list"] = await printed(tmp_path, "producer assign apply --yes own.yaml")
            assert await up.sent(signal.SIGINT) == 0, up.err

        async with typed(tmp_path, UP[0], name="again", exported=False) as again:
            await again.says("\nready: ")
            said["kept list"] = await printed(tmp_path, "producer assign export")
            [simulator] = [pid for pid in children(again.pid) if b"simulate" in command_line(pid)]
            os.kill(simulator, signal.SIGKILL)
            assert await again.ended() == 1
            said["failure"] = again.err.splitlines()[-1]

    asyncio.run(main())

    assert all(line.startswith("export PRODUCER_") for line in (tmp_path / "laptop.env").read_text().splitlines())
    assert "create tiktok.live.comment.v1" in said["producer topics apply"]
    assert "tiktok.live.comment.v1" in said["producer schemas register"]
    assert len(said["producer assign apply laptop/streamers.yaml"].splitlines()) >= 20
    assert "fail" not in said["producer check"]
    assert "some_streamer" in said["own list"]
    assert "another.one" in said["kept list"]
    assert said["failure"] == "producer: simulator ended; its log is laptop/simulator.log"


def children(pid: int) -> list[int]:
    """The processes that one started, and those that they started."""
    started = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return started + [further for each in started for further in children(each)]


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_cluster_of_ones_own_is_named_by_settings_that_there_are() -> None:
    named = [shlex.split(line, comments=True) for line in OWN]

    assert all(words[0] == "export" and len(words) == 2 for words in named)
    settings.from_environ(dict(words[1].split("=", 1) for words in named))


def test_local_up_can_be_stopped_while_it_starts_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()

    async def main() -> tuple[int, str]:
        async with typed(folder, "producer local up", name="up", exported=False) as up:
            await up.says("starting Kafka")
            return await up.sent(signal.SIGTERM), up.out

    assert asyncio.run(main()) == (0, "")
    assert {path.name for path in folder.iterdir()} == {"up.out", "up.err"}
