"""`producer demo` as a whole, where it can be had in a network of its own with nothing but loopback."""

import os
import shutil
import subprocess
import sys

from producer.local.kafka import Kafka
from producer.local.programs import without_settings
from producer.local.registry import Registry

ISOLATED = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def isolation() -> tuple[str, ...]:
    """The command that takes the network away, or nothing where this machine does not let us."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return ()
    tried = subprocess.run([*ISOLATED, "true"], capture_output=True, check=False)
    return ISOLATED if tried.returncode == 0 else ()


def test_the_demo_runs_on_loopback_alone_and_its_accounts_agree(kafka: Kafka, registry: Registry) -> None:
    assert registry.version  # asked for, like Kafka, so that both are downloaded while there is a network

    result = subprocess.run(
        [*isolation(), sys.executable, "-m", "producer", "demo"],
        env=without_settings(os.environ) | {"DEMO_SECONDS": "30"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert lines[-1] == "the accounts agree"
    assert any(line.startswith(f"Apache Kafka {kafka.version} at ") for line in lines)
    assert any(line.startswith("takeover: worker-2 was killed with ") for line in lines)
    read = {words[0]: int(words[7]) for words in map(str.split, lines) if len(words) == 8 and words[7].isdigit()}
    assert sum(count > 0 for event, count in read.items() if event != "all") >= 10
