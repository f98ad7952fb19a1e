"""producer.assignments.complaints: what is said, and how often."""

import errno

from structlog.testing import capture_logs

from producer.assignments.complaints import QUIET_SECONDS, Complaints

FULL = OSError(errno.ENOSPC, "No space left on device")
LINK = OSError(errno.ELOOP, "it is a symbolic link")


def test_a_reason_is_one_line_with_some_of_its_files_and_each_failure_counts() -> None:
    counted = []
    complaints = Complaints(failed=lambda: counted.append(1), clock=lambda: 0.0)

    with capture_logs() as lines:
        for number in range(5):
            complaints.failed("not claimed", FULL, f"{number}.claim")
        complaints.failed("not claimed", LINK, "x.claim")
        complaints.failed("not claimed", LINK, "x.claim")
        complaints.say()
        complaints.say()

    assert [(line["event"], line["problem"], line["files"]) for line in lines] == [
        ("not claimed", "No space left on device", "0.claim, 1.claim, 2.claim and 2 more"),
        ("not claimed", "it is a symbolic link", "x.claim"),
    ]
    assert len(counted) == 7


def test_it_is_said_again_only_after_it_had_been_well() -> None:
    now = 0.0
    complaints = Complaints(failed=lambda: None, clock=lambda: now)

    said = []
    for pause in (0.5, 0.5, QUIET_SECONDS, QUIET_SECONDS + 0.5, 0.5):
        now += pause
        with capture_logs() as lines:
            complaints.failed("not claimed", FULL, "x.claim")
            complaints.say()
        said.append(len(lines))

    assert said == [1, 0, 0, 1, 0]
