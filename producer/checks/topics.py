"""The topics: there, led, as the settings want them, safe to write to, and ours to use."""

from collections.abc import Iterator, Mapping

from producer.checks.cluster import every_topic, inquiry
from producer.checks.verdict import Verdict, fail, listed, ok, skipped, warn
from producer.delivery import acls, topics
from producer.delivery.topic_plan import Create
from producer.kafka.inquiry import ClusterSeen, TopicSeen
from producer.settings import Settings

APPLY = "run `producer topics apply`, or correct PRODUCER_TOPIC_PREFIX"
GRANT = "grant what `producer topics acls` lists"
NONE_THERE = "none of our topics is there"
IN_SYNC = "min.insync.replicas"


async def there(settings: Settings) -> list[Verdict]:
    """Look for each topic, as a worker does when it starts."""
    wanted = list(every_topic(settings))
    async with inquiry(settings) as asking:
        seen = await asking.cluster(wanted)
    missing = sorted(set(wanted) - seen.topics.keys() - seen.hidden)
    verdicts = []
    if missing:
        verdicts.append(fail(f"missing: {listed(missing)}", APPLY))
    if seen.hidden:
        verdicts.append(fail(f"not ours to see: {listed(sorted(seen.hidden))}", GRANT))
    idle = sorted(f"{name} {list(topic.leaderless)}" for name, topic in seen.topics.items() if topic.leaderless)
    if idle:
        verdicts.append(warn(f"no broker leads these partitions: {listed(idle)}", "bring their brokers back"))
    return verdicts or [ok(f"all {len(wanted)} are there")]


async def shape(settings: Settings) -> list[Verdict]:
    """Compare the topics with the settings, as `producer topics plan` does."""
    seen = await _seen(settings)
    if not seen.topics:
        return [skipped(NONE_THERE)]
    if hidden := hidden_configs(seen):
        return [_not_seen(hidden)]
    changes = [change for change in await topics.plan(settings) if not isinstance(change, Create)]
    if not changes:
        return [ok("partitions and configurations are as the settings want them")]
    found = listed([str(change) for change in changes], most=3)
    return [warn(f"`producer topics apply` would {found}", "let it, or let the settings say what there is")]


async def replication(settings: Settings) -> list[Verdict]:
    """Compare replicas with how many of them a write needs."""
    seen = await _seen(settings)
    if not seen.topics:
        return [skipped(NONE_THERE)]
    names, hidden = list(seen.topics), hidden_configs(seen)
    configs = {} if hidden else await topics.configs_in_force(settings, names)
    verdicts = list(durability(seen.topics, configs))
    if hidden:
        verdicts.append(_not_seen(hidden))
    return verdicts or [ok(f"{len(names)} topics can lose a broker and be written to")]


async def rights(settings: Settings) -> list[Verdict]:
    """Ask the brokers what we may do, and compare it with what a worker needs."""
    shared = settings.assignments_file is None
    grants = acls.needed("worker", settings.topic_prefix, shared_list=shared)
    known: dict[tuple[str, str], frozenset[str] | None] = {}
    async with inquiry(settings) as asking:
        seen = await asking.cluster(every_topic(settings))
        known |= {("topic", name): topic.operations for name, topic in seen.topics.items()}
        known |= {("topic", name): frozenset() for name in seen.hidden}
        known |= {
            ("group", name): await asking.group(name)
            for grant in grants
            if grant.resource == "group"
            for name in grant.names
        }
    if not known:
        return [skipped(NONE_THERE)]
    # Of a topic that is not there nothing is known; that it is missing is said elsewhere.
    told = {resource: held for resource, held in known.items() if held is not None}
    lacking = [
        f"{operation} {grant.resource} {name}"
        for grant in grants
        for name in grant.names
        for operation in grant.operations
        if operation not in told.get((grant.resource, name), grant.operations)
    ]
    if lacking:
        return [fail(f"we may not {listed(lacking)}", GRANT)]
    if len(told) < len(known):
        return [skipped("the brokers do not say what we may do; nothing was tried")]
    return [ok(f"all that a worker needs (topics and groups: {len(known)}), as the brokers say; nothing was written")]


def durability(seen: Mapping[str, TopicSeen], configs: Mapping[str, Mapping[str, str]]) -> Iterator[Verdict]:
    """What is to be said of topics whose replicas and configurations, as far as we may see them, are these."""
    needed = {name: int(config[IN_SYNC]) for name, config in configs.items() if IN_SYNC in config}
    never = sorted(name for name, least in needed.items() if least > seen[name].replicas)
    exact = sorted(name for name, least in needed.items() if least == seen[name].replicas > 1)
    loose = sorted(name for name, least in needed.items() if least == 1 < seen[name].replicas)
    alone = sorted(name for name, topic in seen.items() if topic.replicas == 1)
    if never:
        yield fail(
            f"{IN_SYNC} is more than the replicas of {listed(never)}: no write can ever succeed",
            f"lower {IN_SYNC}, or give the topics more replicas (kafka-reassign-partitions.sh)",
        )
    if alone:
        yield warn(f"one replica: {listed(alone)}", "a broker that is lost takes its records along; use three replicas")
    if loose:
        yield warn(
            f"{IN_SYNC} is 1 and there are more replicas: {listed(loose)}",
            f"what one broker alone acknowledged is lost with it; set {IN_SYNC} to 2",
        )
    if exact:
        yield warn(
            f"{IN_SYNC} is as many as there are replicas: {listed(exact)}",
            "one broker that restarts stops all writing; let it be one fewer",
        )


async def _seen(settings: Settings) -> ClusterSeen:
    async with inquiry(settings) as asking:
        return await asking.cluster(every_topic(settings))


def hidden_configs(seen: ClusterSeen) -> list[str]:
    """Topics whose configuration we may not see."""
    return sorted(name for name, topic in seen.topics.items() if not may_describe(topic))


def may_describe(topic: TopicSeen) -> bool:
    """Whether we may see a topic's configuration; where the brokers do not say, it is tried."""
    return topic.operations is None or "DescribeConfigs" in topic.operations


def _not_seen(hidden: list[str]) -> Verdict:
    return skipped(
        f"we may not see the configuration of {listed(hidden, most=1)}",
        "a worker need not; check once as a user with the rights of `producer topics acls --role topics`",
    )
