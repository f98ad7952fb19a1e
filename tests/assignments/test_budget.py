"""producer.assignments.budget: workers that share a key's calls, on a topic and a clock of the test's."""

from collections.abc import Iterable

from producer.assignments.budget import LOOK_SECONDS, Budget, Standing
from producer.assignments.share_records import decode_grant, decode_need


class Calls:
    """What a worker has a share of."""

    def __init__(self) -> None:
        self.waiting = 0
        self.in_a_hurry = 0
        self.taken = 0
        self.held_seconds = 0.0
        self.allowed = -1
        self.learnt: list[float] = []

    def allow(self, calls: int) -> None:
        self.allowed = calls

    def learn_hold(self, seconds: float) -> None:
        self.learnt.append(seconds)


class Fleet:
    """Workers in one group; the first of them leads it."""

    def __init__(self, total: int = 10) -> None:
        self.now = 1000.0
        self.total = total
        self.topic: list[tuple[bytes, bytes | None]] = []
        self.calls: dict[str, Calls] = {}
        self.budgets: dict[str, Budget] = {}
        self.members: list[str] = []
        self.read: dict[str, int] = {}
        self.deaf: set[str] = set()
        """Those that read nothing, and of whom nothing is written."""

    def join(self, name: str) -> Calls:
        self.members.append(name)
        self.calls[name], self.read[name] = Calls(), 0
        self.budgets[name] = Budget(
            "sign",
            self.calls[name],
            total=self.total,
            period=60.0,
            worker=name,
            say=lambda key, value: None if name in self.deaf else self.topic.append((key, value)),
            standing=lambda: self.standing(name),
            clock=lambda: self.now,
            wall_clock=lambda: self.now,
        )
        return self.calls[name]

    def standing(self, name: str) -> Standing:
        if name not in self.members:
            return Standing(name, False, 0, 1, frozenset())
        leads = self.members[0] == name
        rank = self.members.index(name)
        return Standing(name, True, rank, len(self.members), frozenset(self.members if leads else ()))

    def end(self, name: str, *, killed: bool) -> None:
        if not killed:
            self.budgets[name].leave()
        self.members.remove(name)
        del self.budgets[name]

    def go_on(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            for name, budget in self.budgets.items():
                if name not in self.deaf:
                    news, self.read[name] = self.topic[self.read[name] :], len(self.topic)
                    for key, value in news:
                        tell(budget, key, value)
                budget.look()
            assert sum(max(each.allowed, each.taken) for each in self.calls.values()) <= self.total
            self.now += LOOK_SECONDS

    def allowed(self, names: Iterable[str]) -> list[int]:
        return [self.calls[name].allowed for name in names]


def tell(budget: Budget, key: bytes, value: bytes | None) -> None:
    if key.startswith(b"need:"):
        _, worker, need = decode_need(key, value)
        budget.said(worker, need)
    else:
        _, grant = decode_grant(key, value)
        assert grant is not None
        budget.granted(grant)


def test_one_alone_has_all_and_who_comes_has_its_part_once_it_is_free() -> None:
    fleet = Fleet()
    one = fleet.join("a")
    assert one.allowed == 0, "before the group knows it"
    fleet.go_on(2)
    assert one.allowed == 10

    one.taken = 8
    two = fleet.join("b")
    two.waiting = 9
    fleet.go_on(5)
    assert (one.allowed, two.allowed) == (5, 2)

    one.taken = two.waiting = 0
    fleet.go_on(5)
    assert (one.allowed, two.allowed) == (5, 5)


def test_who_has_nobody_waiting_lends_to_who_has_and_has_it_back() -> None:
    fleet = Fleet()
    for name in "abcd":
        fleet.join(name)
    fleet.go_on(5)
    assert fleet.allowed("abcd") == [3, 3, 2, 2]

    fleet.calls["d"].waiting = 30
    fleet.go_on(5)
    assert fleet.allowed("abcd") == [0, 0, 0, 10]

    fleet.calls["d"].waiting, fleet.calls["a"].waiting, fleet.calls["a"].in_a_hurry = 30, 4, 4
    fleet.go_on(5)
    assert fleet.allowed("ad") == [4, 6]


def test_a_room_that_was_heard_has_a_call_before_those_of_another_worker_that_were_not() -> None:
    fleet = Fleet(total=2)
    for name in "ab":
        fleet.join(name)
        fleet.calls[name].waiting = 9
    fleet.go_on(5)
    assert fleet.allowed("ab") == [1, 1]

    fleet.calls["b"].in_a_hurry = 2
    fleet.go_on(5)

    assert fleet.allowed("ab") == [0, 2]


def test_the_last_rooms_that_wait_are_not_slower_than_the_first() -> None:
    fleet = Fleet()
    for name in "abcde":
        fleet.join(name)
    fleet.calls["e"].waiting = 8
    fleet.go_on(5)
    assert fleet.allowed("e") == [8]

    fleet.calls["e"].waiting, fleet.calls["e"].taken = 1, 7
    fleet.go_on(5)

    assert fleet.allowed("e") == [8], "places that were used a moment ago are no others' yet"


def test_nothing_is_said_while_nothing_changes() -> None:
    fleet = Fleet()
    for name in "abcd":
        fleet.join(name)
    fleet.go_on(10)
    before = len(fleet.topic)

    fleet.go_on(60)

    assert len(fleet.topic) - before <= 3 + 4 * 3, "a grant every twenty seconds, a word of each every thirty"


def test_who_is_killed_is_counted_for_more_than_a_minute_and_who_says_goodbye_is_not() -> None:
    fleet = Fleet()
    for name in "abc":
        fleet.join(name)
    fleet.go_on(5)

    fleet.end("c", killed=True)
    fleet.go_on(60)
    assert sum(fleet.allowed("ab")) == 7
    fleet.calls["c"].allowed = 0
    fleet.go_on(20)
    assert sum(fleet.allowed("ab")) == 10

    fleet.end("b", killed=False)
    fleet.go_on(3)
    assert fleet.allowed("a") == [10]


def test_nothing_is_said_behind_a_goodbye() -> None:
    fleet = Fleet()
    fleet.join("a")
    fleet.go_on(5)
    fleet.calls["a"].waiting = 3

    fleet.budgets["a"].leave()
    before = len(fleet.topic)
    fleet.go_on(40)

    assert fleet.topic[before:] == []
    assert fleet.allowed("a") == [0]


def test_who_says_goodbye_while_calls_are_young_gives_the_others_the_rest_at_once() -> None:
    fleet = Fleet()
    fleet.join("a")
    fleet.join("b")
    fleet.go_on(5)
    fleet.calls["b"].taken = 2

    fleet.end("b", killed=False)
    fleet.go_on(3)

    assert fleet.allowed("a") == [8]


def test_who_hears_nothing_keeps_to_its_part_of_the_whole() -> None:
    fleet = Fleet()
    for name in "abcd":
        fleet.join(name)
    fleet.calls["d"].waiting = 30
    fleet.go_on(10)
    assert fleet.allowed("d") == [10]

    fleet.deaf |= set("abcd")
    fleet.go_on(70)

    assert fleet.allowed("abcd") == [0, 0, 0, 2]

    fleet.go_on(120)

    assert fleet.allowed("abcd") == [3, 3, 2, 2], "what it had lent nobody has any more"


def test_a_newcomer_that_nobody_grants_anything_has_its_part_of_the_whole_after_a_while() -> None:
    fleet = Fleet()
    fleet.deaf.add("a")
    fleet.join("a")
    fleet.go_on(59)
    assert fleet.allowed("a") == [0]

    fleet.go_on(5)

    assert fleet.allowed("a") == [10]


def test_who_the_group_does_not_confirm_keeps_to_its_part_at_once() -> None:
    fleet = Fleet()
    fleet.join("a")
    fleet.join("b")
    fleet.calls["b"].waiting = 30
    fleet.go_on(5)
    assert fleet.allowed("b") == [10]

    fleet.members.remove("b")
    fleet.deaf.add("b")
    fleet.budgets["b"]._standing = lambda: Standing("b", False, 1, 2, frozenset())
    fleet.go_on(1)

    assert fleet.allowed("b") == [5]


def test_a_hold_is_told_to_all_and_once() -> None:
    fleet = Fleet()
    for name in "abc":
        fleet.join(name)
    fleet.go_on(5)
    before = len(fleet.topic)

    for left in range(50, 45, -1):
        fleet.calls["b"].held_seconds = float(left)
        fleet.go_on(1)

    assert [fleet.calls[name].learnt for name in "abc"] == [[49.5], [], [50.0]]
    assert sum(key == b"need:sign@b" for key, _ in fleet.topic[before:]) == 1


def test_after_a_fleet_that_ended_long_ago_the_first_has_all_at_once() -> None:
    fleet = Fleet()
    fleet.join("a")
    fleet.join("b")
    fleet.go_on(5)
    for name in "ab":
        fleet.end(name, killed=True)
        fleet.calls[name].allowed = 0

    fleet.now += 100
    fleet.join("c")
    fleet.go_on(3)

    assert fleet.allowed("c") == [10]
