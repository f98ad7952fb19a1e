"""README's "Run it", copied and pasted: each command as it stands there, against three brokers and the simulator."""

import asyncio
import re
import shlex
import signal
from pathlib import Path

from producer.local.kafka import Kafka
from producer.local.processes import free_ports
from producer.local.programs import Program, Worker, command
from producer.local.registry import Registry
from tests.system.harness import until

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
SECTION = README[README.index("\n## Run it\n") : README.index("\n## What is on the topics\n")]


def block(language: str) -> str:
    """The section's code in that language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    return str(found)


def commands() -> list[list[str]]:
    """What a reader would type, word by word."""
    lines = [shlex.split(line.removeprefix("$ "), comments=True) for line in block("console").splitlines()]
    assert all(line[0] in ("export", "producer") for line in lines)
    return lines


def test_the_readmes_commands_run_as_they_stand(tmp_path: Path, registry: Registry) -> None:
    list_file = tmp_path / "streamers.yaml"
    list_file.write_text(block("yaml"))

    async def main() -> dict[str, str]:
        printed: dict[str, str] = {}
        async with (
            Kafka(tmp_path / "kafka", brokers=3) as kafka,
            Program("simulator", ("simulate", "--port", "0"), {}, tmp_path / "simulator.log") as simulator,
        ):
            line = await simulator.line_with("http://")
            [port] = free_ports(1)
            ours = {
                "kafka:9092": kafka.bootstrap_servers,
                "http://registry:8081": registry.url,
                "tiktok": line[line.index("http://") :].split()[0],
                "streamers.yaml": str(list_file),
            }
            environ = {"PRODUCER_HTTP_PORT": str(port)}
            for program, *words in commands():
                if program == "export":
                    [(name, _, value)] = [word.partition("=") for word in words]
                    environ[name] = ours[value]
                elif words == ["run"]:
                    async with Worker("worker", port, environ, tmp_path) as worker:

                        async def claimed(worker: Worker = worker) -> bool:
                            worker.check()
                            status = await worker.status()
                            return status is not None and len(status["streamers"]) == 2

                        await until(claimed)
                        printed["producer status --json"] = await command("status", "--json", environ=environ)
                        assert await worker.end(signal.SIGTERM) == 0
                else:
                    typed = " ".join(("producer", *words))
                    printed[typed] = await command(*(ours.get(word, word) for word in words), environ=environ)
        return printed

    printed = asyncio.run(main())

    assert "create tiktok.live.comment.v1" in printed["producer topics apply"]
    assert "tiktok.live.comment.v1" in printed["producer schemas register"]
    assert "some_streamer" in printed["producer assign apply streamers.yaml"]
    assert "fail" not in printed["producer check"]
    assert "another.one" in printed["producer status --json"]
