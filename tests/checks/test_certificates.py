"""producer.checks.certificates, against what another library wrote."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from producer.checks import certificates


@pytest.mark.parametrize(
    "end",
    [datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)],
    ids=["two digits of the year", "four"],
)
def test_the_end_is_the_one_that_was_issued(end: datetime) -> None:
    issued = trustme.CA().issue_cert("localhost", not_after=end)

    assert certificates.ends(issued.cert_chain_pems[0].bytes()) == [end]


def test_every_certificate_of_a_bundle_is_read() -> None:
    ends = [datetime(2030 + number, 5, 4, 3, 2, 1, tzinfo=UTC) for number in range(3)]
    bundle = b"a comment\n".join(
        trustme.CA().issue_cert("localhost", not_after=end).cert_chain_pems[0].bytes() for end in ends
    )

    assert certificates.ends(bundle) == ends


def test_the_system_s_authorities_can_be_read() -> None:
    file = ssl.get_default_verify_paths().cafile
    if file is None:
        pytest.skip("this system has no bundle of authorities")

    assert len(certificates.ends(Path(file).read_bytes())) > 10
