"""Alerts of fleets of any size, and of two in one namespace: a roll rings nothing, and trouble rings for its own."""

from pathlib import Path

import pytest
import yaml

from tests.observability.fleets import Fleet, run_rules
from tests.observability.tools import CHART, NAMESPACE, RULES, Groups, rendered, run, tool

JOB = "tiktok-live-producer"
SIZES = pytest.mark.parametrize("workers", [2, 10, 50])


def checked_in(job: str = JOB) -> Groups:
    """The rules as they are, or for another job, as docs/operate.md has it made."""
    text = "\n".join(file.read_text("utf-8") for file in RULES)
    if job != JOB:
        text = text.replace(f'job="{JOB}"', f'job="{job}"')
    return [group for part in text.split("groups:")[1:] for group in yaml.safe_load(part)]


# ----------------------------------------------------------------------------------------------------- one, of any size


def rolled(workers: int, *, at_a_time: int = 1, stateful: bool = False) -> Fleet:
    """A fleet before, while and after all of its workers are replaced, each by one that holds what it held."""
    fleet = Fleet(JOB, workers)
    fleet.passes(10)
    old = list(fleet.pods)
    for first in range(0, workers, at_a_time):
        leaving = old[first : first + at_a_time]
        if stateful:
            [pod] = leaving
            fleet.leaves(pod, next(other for other in fleet.pods if other != pod))
            fleet.joins((pod[0], f"10.0.1.{first}"))
            fleet.passes(2)
            continue
        coming = [(f"{JOB}-new-{number}", f"10.0.1.{number}") for number in range(first, first + len(leaving))]
        for pod in coming:
            fleet.joins(pod)
        fleet.passes(1)
        for pod, heir in zip(leaving, coming, strict=True):
            fleet.leaves(pod, heir)
    fleet.passes(60)
    return fleet


@pytest.mark.parametrize(
    ("workers", "at_a_time", "stateful"),
    [(2, 1, False), (10, 1, False), (50, 1, False), (50, 13, False), (2, 1, True), (10, 1, True), (50, 1, True)],
)
def test_a_roll_rings_nothing(tmp_path: Path, workers: int, at_a_time: int, stateful: bool) -> None:
    fleet = rolled(workers, at_a_time=at_a_time, stateful=stateful)

    run_rules(tmp_path, [checked_in()], [fleet], [])


@SIZES
def test_workers_taken_away_or_added_ring_nothing(tmp_path: Path, workers: int) -> None:
    fleet = Fleet(JOB, workers)
    fleet.passes(10)
    first, *others = fleet.pods
    for pod in others:
        fleet.leaves(pod, first)
    fleet.passes(40)
    for pod in others:
        fleet.joins(pod)
        fleet.passes(1)
    fleet.passes(40)

    run_rules(tmp_path, [checked_in()], [fleet], [])


@SIZES
def test_workers_that_lose_their_sessions_are_a_storm(tmp_path: Path, workers: int) -> None:
    fleet = Fleet(JOB, workers)
    fleet.passes(10)
    for _ in range(15):
        fleet.shares_out()
        fleet.passes(2)

    run_rules(tmp_path, [checked_in()], [fleet], [("TikTokLiveRebalanceStorm", JOB, "")])


@SIZES
def test_one_worker_that_starts_again_and_again_is_a_storm(tmp_path: Path, workers: int) -> None:
    fleet = Fleet(JOB, workers)
    fleet.passes(10)
    pod = next(iter(fleet.pods))
    for _ in range(10):
        fleet.shares_out()  # the group misses it
        fleet.joins(pod, held=20)
        fleet.passes(3)

    run_rules(tmp_path, [checked_in()], [fleet], [("TikTokLiveRebalanceStorm", JOB, "")])


@SIZES
def test_one_streamer_without_a_worker_rings(tmp_path: Path, workers: int) -> None:
    fleet = Fleet(JOB, workers)
    fleet.wanted += 1
    fleet.passes(20)

    run_rules(tmp_path, [checked_in()], [fleet], [("TikTokLiveStreamersUnassigned", JOB, "")])


@SIZES
def test_one_streamer_held_twice_rings(tmp_path: Path, workers: int) -> None:
    fleet = Fleet(JOB, workers)
    fleet.wanted -= 1
    fleet.passes(30)

    run_rules(tmp_path, [checked_in()], [fleet], [("TikTokLiveStreamersHeldTwice", JOB, "")])


@SIZES
def test_one_worker_that_does_not_answer_rings_by_its_name(tmp_path: Path, workers: int) -> None:
    fleet = Fleet(JOB, workers)
    pod = next(iter(fleet.pods))
    fleet.pods[pod]["up"] = 0
    fleet.passes(30)

    run_rules(tmp_path, [checked_in()], [fleet], [("TikTokLiveWorkerDown", JOB, pod[0])])


@SIZES
def test_a_fleet_of_which_nobody_answers_is_down(tmp_path: Path, workers: int) -> None:
    fleet = Fleet(JOB, workers)
    for worker in fleet.pods.values():
        worker["up"] = 0
    fleet.passes(30)
    silent = [("TikTokLiveWorkerDown", JOB, name) for name, _ in fleet.pods]

    run_rules(tmp_path, [checked_in()], [fleet], [("TikTokLiveDown", JOB, ""), *silent])


# -------------------------------------------------------------------------------------------- two in one namespace


def job_of(release: str) -> str:
    """The job that the chart's PodMonitor gives to the samples of a release."""
    values = str(CHART / "ci" / "monitoring-values.yaml")
    given = ("--namespace", NAMESPACE, "--values", values, "--show-only", "templates/podmonitor.yaml")
    monitor = yaml.safe_load(run(tool("helm"), "template", release, str(CHART), *given))
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    [job] = (each["replacement"] for each in endpoint["relabelings"] if each["targetLabel"] == "job")
    return str(job)


@pytest.fixture(scope="module", params=["by the chart", "without the chart"])
def beside(request: pytest.FixtureRequest) -> dict[str, Groups]:
    """The rules of two fleets, by their jobs."""
    if request.param == "by the chart":
        return {job_of(release): rendered(release=release) for release in ("lives", "shows")}
    return {JOB: checked_in(), "other-fleet": checked_in("other-fleet")}


def two_of(rules: dict[str, Groups]) -> tuple[Fleet, Fleet]:
    """A fleet of two workers, and one of ten beside it."""
    one, other = rules
    return Fleet(one, 2), Fleet(other, 10)


def test_two_that_are_well_ring_nothing(tmp_path: Path, beside: dict[str, Groups]) -> None:
    fleets = two_of(beside)
    for fleet in fleets:
        fleet.passes(40)

    run_rules(tmp_path, beside.values(), fleets, [])


def test_what_one_lacks_and_the_other_holds_twice_ring_for_each(tmp_path: Path, beside: dict[str, Groups]) -> None:
    one, other = two_of(beside)
    one.wanted += 10
    other.wanted -= 10
    for fleet in (one, other):
        fleet.passes(40)
    expected = [("TikTokLiveStreamersUnassigned", one.job, ""), ("TikTokLiveStreamersHeldTwice", other.job, "")]

    run_rules(tmp_path, beside.values(), [one, other], expected)


def test_one_that_is_gone_rings_while_the_other_is_well(tmp_path: Path, beside: dict[str, Groups]) -> None:
    one, other = two_of(beside)
    other.passes(40)

    run_rules(tmp_path, beside.values(), [other], [("TikTokLiveDown", one.job, "")])


def test_a_storm_in_one_is_not_explained_by_a_roll_of_the_other(tmp_path: Path, beside: dict[str, Groups]) -> None:
    one, other = two_of(beside)
    for number, pod in enumerate(list(other.pods)):
        new = (f"new-{number}", f"10.0.1.{number}")
        other.joins(new)
        other.passes(1)
        other.leaves(pod, new)
        one.shares_out()
        one.passes(2)
    for _ in range(5):
        one.shares_out()
        for fleet in (one, other):
            fleet.passes(2)

    run_rules(tmp_path, beside.values(), [one, other], [("TikTokLiveRebalanceStorm", one.job, "")])


def test_two_under_one_job_ring_falsely(tmp_path: Path) -> None:
    """What the tests above would say of a chart that gave every release the same job."""
    selector = f'prometheusRule.selector=job="{JOB}"'
    rules = rendered("--set-literal", selector)
    fleets = Fleet(JOB, 2), Fleet(JOB, 10)
    for number, fleet in enumerate(fleets):
        fleet.pods = {(f"{number}-{name}", address): worker for (name, address), worker in fleet.pods.items()}
        fleet.passes(40)

    with pytest.raises(AssertionError, match=r"got:.*TikTokLiveStreamersHeldTwice"):
        run_rules(tmp_path, [rules], fleets, [])
