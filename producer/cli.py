"""The command line: `producer run`, and what prepares and tries it."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table

from producer import __version__, authorities, cli_manners, cli_status, logs, named_files, settings, terminal
from producer.cli_assign import assign, catalogue, shared
from producer.cli_dlq import dlq
from producer.cli_doors import doors
from producer.cli_local import installed, local
from producer.cli_schemas import schemas
from producer.cli_spool import spool
from producer.cli_topics import topics
from producer.configured import KAFKA, UPSTREAM, configured
from producer.delivery import client, topic_plan
from producer.errors import ProducerError, StartRefused

HEALTH_SECONDS = 3.0

application = typer.Typer(
    name="producer",
    help="TikTok LIVE events to Apache Kafka: one Avro record per event, one topic per kind of event.\n\n"
    "Settings come from PRODUCER_... variables; `producer settings` lists them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
application.add_typer(topics, name="topics")
application.add_typer(schemas, name="schemas")
application.add_typer(assign, name="assign")
application.add_typer(dlq, name="dlq")
application.add_typer(spool, name="spool")
application.add_typer(doors, name="doors")
application.add_typer(local, name="local")


def main() -> None:
    """Run the command line."""
    cli_manners.carry_out(application)


def _version(asked: bool) -> None:
    if asked:
        terminal.say(f"producer {__version__}")
        raise typer.Exit


@application.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """What stands before every command."""


@application.command()
def run() -> None:
    """Run one worker: claim streamers, stream their lives, publish their events. SIGTERM ends it in good order."""
    logs.detach()
    chosen = configured(KAFKA, UPSTREAM)
    authorities.refuse_unusable(os.environ)
    named_files.refuse_unusable(chosen)
    _run(lambda: _work(chosen))


@application.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    upstream: Annotated[
        bool, typer.Option("--upstream", help="Make one request to the upstream, and to the sign server, too.")
    ] = False,
) -> None:
    """Say whether `run` would work with these settings, and what to do where it would not. Changes nothing.

    A line for each check: ok, warn, fail or skipped; exit status 1 where one failed.
    """
    from producer import cli_check  # it knows the whole service; the other commands start faster without it

    if not asyncio.run(cli_check.check(as_json=as_json, upstream=upstream)):
        raise SystemExit(1)


@application.command()
def health() -> None:
    """Ask the worker beside this command, by its /livez, whether it is alive: a container's health check.

    It asks at PRODUCER_HTTP_PORT. Without that, whichever worker of this machine has the default port answers.
    """
    import httpx

    chosen = configured()
    # `::` is both families, and a container may have the address of no IPv6 but that one.
    host = "127.0.0.1" if chosen.http_host in ("0.0.0.0", "::") else chosen.http_host
    url = httpx.URL(scheme="http", host=host, port=chosen.http_port, path="/livez")
    try:
        answer = httpx.get(url, trust_env=False, timeout=HEALTH_SECONDS)
    except httpx.HTTPError as cause:
        hint = "; PRODUCER_HTTP_PORT is not set, and a worker that found its default in use logs which it took"
        unset = "http_port" not in chosen.model_fields_set
        raise StartRefused(f"no answer from {url}: {cause}{hint if unset else ''}") from cause
    terminal.say(answer.text.strip())
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(1)


@application.command()
def simulate(
    seed: Annotated[int, typer.Option(help="What the world is made from; the same seed makes the same world.")] = 1,
    rooms: Annotated[int, typer.Option(min=1, help="How many rooms there are.")] = 20,
    rate: Annotated[float, typer.Option(min=0.1, help="Events per second of all rooms together.")] = 100.0,
    steady: Annotated[bool, typer.Option(help="Keep all rooms live from the start on.")] = False,
    away: Annotated[int, typer.Option(min=0, help="Streamers beside the rooms, who are never live.")] = 0,
    ip_limit: Annotated[
        str | None,
        typer.Option(help="MOST/SECONDS:BLOCKED_SECONDS, such as 60/60:300: more look-ups are shown a challenge."),
    ] = None,
    sign_limit: Annotated[
        str | None,
        typer.Option(help="MOST/SECONDS or MOST/SECONDS:HELD_SECONDS: more calls to be signed are answered with 429."),
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")] = 8100,
    replay: Annotated[Path | None, typer.Option(help="Serve these recorded messages (.jsonl.gz) instead.")] = None,
    schedule: Annotated[
        Path | None,
        typer.Option(help="Let these be live by the hours of a week: lines of NAME mon-fri 20:00-22:30."),
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Write everything that was sent here (JSON lines).")] = None,
    list_file: Annotated[
        Path | None, typer.Option("--list", help="Write the list of the rooms' streamers here.")
    ] = None,
    resend: Annotated[
        bool, typer.Option(help="Send what nobody acknowledged to the next who comes; whether TikTok does is unknown.")
    ] = False,
    restricted: Annotated[
        list[str] | None, typer.Option(help="Show this streamer's room to nobody but the account of --session-file.")
    ] = None,
    session_file: Annotated[
        Path | None, typer.Option(help="Its session, as in PRODUCER_SESSIONS_DIRECTORY; without one, to nobody.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="Misbehave: NAME, or NAME/DOOR@STREAMER:TIMES without some of these.")
    ] = None,
) -> None:
    """Serve a simulated Webcast: for laptops, tests, and your own tests. SIGTERM ends it in good order.

    What is posted to /simulator/faults, one --fault a line, takes their place while it runs.
    """
    from producer.simulator import server
    from producer.simulator.adults import Adults
    from producer.simulator.limit import Limit
    from producer.simulator.quota import Quota

    try:
        _run(
            lambda: server.serve(
                host=host,
                port=port,
                seed=seed,
                rooms=rooms,
                rate=rate,
                steady=steady,
                away=away,
                limit=Limit.written(ip_limit) if ip_limit is not None else None,
                quota=Quota.written(sign_limit) if sign_limit is not None else None,
                replay=replay,
                schedule=schedule,
                truth=truth,
                faults=fault or [],
                list_file=list_file,
                resend=resend,
                adults=Adults(restricted or (), session_file.read_text() if session_file is not None else ""),
                announce=terminal.complain,
            )
        )
    except (OSError, ValueError) as cause:
        raise StartRefused(f"the simulator cannot start: {cause}") from cause


@application.command()
def demo() -> None:
    """Run everything on this machine: Kafka, registry, simulator, two workers, a reader. DEMO_SECONDS bounds it."""
    with installed():
        from producer.local import demo as everything
    raise SystemExit(asyncio.run(everything.run(os.environ)))


@application.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    why: Annotated[
        str | None, typer.Option(help="Say of this one streamer what is known, and when it is likely to go live.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep it current, with keys to sort and to filter.")] = False,
    group: Annotated[
        list[str] | None, typer.Option(help="With --watch: a consumer group whose lag is shown; more than once.")
    ] = None,
) -> None:
    """Show who streams whom, where the list is a Kafka topic, without asking any worker."""
    if watch and why is not None:
        raise StartRefused("--why tells of one streamer once, --watch keeps all of them current: not both at a time")
    if watch and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise StartRefused("--watch needs a terminal, to draw on and to read keys from: without it all is printed once")
    chosen = shared()
    if watch:
        logs.configure(form="text", level="critical")  # the screen is the view's
        records = topic_plan.names(chosen.topic_prefix)
        cli_status.watch(catalogue(chosen), lambda: client.options(chosen), records, group or ())
    elif why is not None:
        cli_status.tell(catalogue(chosen), why, as_json=as_json)
    else:
        cli_status.show(catalogue(chosen), as_json=as_json)


@application.command("settings")
def list_settings() -> None:
    """List every setting: its variable, default and meaning."""
    table = Table("Variable", "Default", "Meaning", box=None, pad_edge=False, header_style="bold")
    for name, field in settings.Settings.model_fields.items():
        default = "required" if field.is_required() else "" if field.default in (None, ()) else str(field.default)
        table.add_row(settings.variable(name), default, field.description)
    terminal.draw(table)


@application.command()
def version() -> None:
    """Print the version."""
    terminal.say(__version__)


async def _work(chosen: settings.Settings) -> NoReturn:
    """Run a worker, and end the process.

    Here, and not by returning: Python would wait for threads that wait for a name server or a disk.
    """
    from producer import service  # the whole service; the other commands start faster without it

    status = 1
    try:
        await service.run(chosen)
        status = 0
    except ProducerError as error:
        cli_manners.complain(error)
    except BaseException:  # whatever ends it, the process ends here and says so
        logs.get().critical("ended by a bug of ours", exc_info=True)
    logs.flush()
    os._exit(status)


def _run(main: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Run on uvloop where there is one: it takes a fifth of asyncio's memory for a TLS connection."""
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(main())
    else:
        uvloop.run(main())
