"""What a worker needs of its machine: a disk for the spool, descriptors for its sockets, a port."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from producer import descriptors
from producer.checks.verdict import Verdict, fail, ok, skipped, warn
from producer.delivery import spool_files
from producer.delivery.spool import WAL_BYTES
from producer.errors import StartRefused
from producer.observability import exposition
from producer.settings import Settings

MIB = 1024 * 1024


async def spool(settings: Settings) -> list[Verdict]:
    """Look at the spool's directory, its disk and its files."""
    directory = settings.spool_directory
    if directory is None:
        return [skipped("PRODUCER_SPOOL_DIRECTORY is not set: what Kafka does not take in time waits in memory alone")]
    if problem := not_writable(directory):
        return [
            warn(
                f"PRODUCER_SPOOL_DIRECTORY={directory} cannot be written to: {problem}",
                "give it a directory that this user may write to: until then a worker runs without a spool",
            )
        ]
    files = [spool_files.describe(path, now_ms=time.time() * 1000) for path in spool_files.paths(directory)]
    verdicts = [
        warn(f"{file['path']}: {file['problem']}", "`producer spool export` or the version that wrote it reads it")
        for file in files
        if file["problem"]
    ]
    free = shutil.disk_usage(_there(directory)).free
    more = settings.spool_max_bytes - sum(file["bytes"] for file in files if not file["problem"])
    records = sum(file["records"] for file in files)
    room = f"{free // MIB} MiB are free, and it may take {max(0, more) // MIB} MiB more"
    if free < WAL_BYTES:
        verdicts.append(warn(f"{directory} has no room: {room}", "make room, or use another disk"))
    elif free < more:
        verdicts.append(warn(f"{directory}: {room}", "make room, or lower PRODUCER_SPOOL_MAX_BYTES"))
    else:
        verdicts.append(ok(f"{directory}: {records} records wait there; {room}"))
    return verdicts


async def open_files(settings: Settings) -> list[Verdict]:
    """Compare the limit of open files with the rooms that a worker may stream."""
    need = descriptors.need(settings.max_streams, file_claims=settings.assignments_file is not None)
    if need.too_few:
        return [fail(need.found, need.advice)]
    return [warn(need.found, need.advice) if need.short or need.scarce else ok(need.found)]


async def port(settings: Settings) -> list[Verdict]:
    """Take the port of the probes, and give it back."""
    wanted, host = settings.http_port, settings.http_host
    try:
        with exposition.listen(host, wanted, insist="http_port" in settings.model_fields_set) as listener:
            taken = listener.getsockname()[1]
    except StartRefused as refused:
        return [fail(str(refused), "a worker that runs already may have it; otherwise choose another")]
    if wanted not in (0, taken):
        return [ok(f"port {wanted} of {host} is in use; PRODUCER_HTTP_PORT is not set, so `run` takes a free one")]
    which = "any free port" if wanted == 0 else f"port {wanted}"
    return [ok(f"{which} of {host} can be had")]


def not_writable(folder: Path) -> str | None:
    """Why no file can be made there, or in what is there of the way to it; None where one can. Leaves nothing."""
    place = _there(folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as problem:
        return f"{place}: {problem.strerror}"


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    return next(part for part in (folder, *folder.absolute().parents) if os.access(part, os.F_OK))
