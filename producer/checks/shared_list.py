"""The list of streamers and the claims on it: a topic, or a file with a folder of claims."""

from producer.assignments import assignor
from producer.assignments.claims_folder import refuse_network_file_system, refuse_unlockable, unusable_files
from producer.assignments.file import claims_folder
from producer.assignments.list_file import read_list
from producer.assignments.membership import JOIN_REFUSALS, refusal
from producer.assignments.table import refuse_other_slots
from producer.assignments.twins import refuse_twins
from producer.checks.cluster import inquiry
from producer.checks.machine import not_writable
from producer.checks.topics import may_describe
from producer.checks.verdict import Verdict, fail, listed, ok, skipped, warn
from producer.cli_assign import catalogue
from producer.delivery import client, topic_plan, topics
from producer.lookups.plan import even_interval
from producer.settings import Settings, proxy_list

EMPTY = "put streamers on it: `producer assign apply`"


async def topic(settings: Settings) -> list[Verdict]:
    """Read the whole list, as each worker does."""
    read = await catalogue(settings).read()
    name = topic_plan.assignments_topic(settings.topic_prefix)
    refuse_other_slots(name, found=read.partitions, expected=settings.assignment_slots)
    verdicts = []
    async with inquiry(settings) as asking:
        seen = await asking.cluster([name])
    if may_describe(seen.topics[name]):
        configs = await topics.configs_in_force(settings, [name])
        if "compact" not in (policy := configs[name].get("cleanup.policy", "")).split(","):
            verdicts.append(
                warn(f"{name} is not compacted (cleanup.policy={policy}): it forgets", "run `producer topics apply`")
            )
    if read.refused:
        first = read.refused[0]
        verdicts.append(
            warn(
                f"{name} has records that cannot be used: {len(read.refused)}, the first in partition "
                f"{first.partition} at offset {first.offset}: {first.problem}",
                "write those streamers anew with `producer assign add`; workers pass such records over",
            )
        )
    return [*verdicts, _count(sum(row.enabled for row in read.wanted.values()), len(read.wanted))]


async def group(settings: Settings) -> list[Verdict]:
    """Ask whether the group would take a worker with this session and this name, without joining it."""
    name, seconds = topic_plan.workers_group(settings.topic_prefix), settings.claim_session_seconds
    protocol = assignor.protocol(topic_plan.assignments_topic(settings.topic_prefix), settings.assignment_slots)
    async with inquiry(settings) as asking:
        try:
            await asking.refuse_join(name, session_seconds=seconds, protocol=protocol)
        except JOIN_REFUSALS as cause:
            raise refusal(cause, group=name, session_seconds=seconds) from cause
    if settings.worker_name is not None:
        await refuse_twins(
            lambda: client.options(settings),
            group=name,
            worker=settings.worker_name,
            ours=lambda: None,
            patience=seconds,
        )
    return [ok(f"the brokers take a session of {seconds:g} s for the group {name}")]


async def file(settings: Settings) -> list[Verdict]:
    """Read the list, as a worker does."""
    assert settings.assignments_file is not None
    wanted = read_list(settings.assignments_file)
    return [_count(sum(item.enabled for item in wanted), len(wanted))]


async def claims(settings: Settings) -> list[Verdict]:
    """Look whether claims can be locked where they belong."""
    assert settings.assignments_file is not None
    folder = claims_folder(settings.assignments_file, settings.claims_directory)
    refuse_network_file_system(folder)
    if problem := not_writable(folder):
        return [fail(f"claims cannot be written: {problem}", "choose another PRODUCER_CLAIMS_DIRECTORY, or its rights")]
    is_there = folder.exists()  # otherwise it is made at the start
    if is_there:
        refuse_unlockable(folder, worker=settings.worker_name)
    try:
        found = unusable_files(folder) if is_there else []
    except OSError as cause:
        return [fail(f"{folder} cannot be listed: {cause.strerror}", "let this process's user read it")]
    if found:
        return [
            warn(f"{folder} has what cannot be a claim: {listed(found)}", "remove it: nobody can claim its streamer")
        ]
    return [ok(f"{folder} is local and can be written to")]


def _count(enabled: int, all_of_them: int) -> Verdict:
    found = f"streamers: {all_of_them}, enabled: {enabled}"
    return ok(found) if enabled else warn(f"{found}: there is nothing to stream", EMPTY)


async def look_ups(settings: Settings) -> list[Verdict]:
    """Say how soon one worker that had all of them would find who goes live."""
    if settings.assignments_file is not None:
        enabled = sum(item.enabled for item in read_list(settings.assignments_file))
    else:
        enabled = sum(row.enabled for row in (await catalogue(settings).read()).wanted.values())
    if not enabled:
        return [skipped("nobody is to be looked up")]
    per_second = settings.lookups_per_second
    if settings.lookups_per_hour is not None:
        per_second = min(per_second, settings.lookups_per_hour / 3600)
    egresses = len(proxy_list(settings.proxies_file)) if settings.proxies_file is not None else 1
    seconds = even_interval(enabled, per_second=per_second * egresses, shortest=settings.live_poll_seconds)
    found = (
        f"a worker that has them all asks for each every {seconds:.0f} s while it knows nothing of "
        f"them, and finds a live {seconds / 2:.0f} s after its start on average"
    )
    if seconds <= max(settings.lookup_longest_seconds, settings.live_poll_seconds):
        return [ok(found)]
    return [
        warn(
            f"{found}: longer than PRODUCER_LOOKUP_LONGEST_SECONDS",
            "more workers with an address of their own each, more egresses (PRODUCER_PROXIES_FILE), or, at your own "
            "risk, more PRODUCER_LOOKUPS_PER_SECOND",
        )
    ]
