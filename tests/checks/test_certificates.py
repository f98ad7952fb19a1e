"""producer.checks.certificates, against what another library wrote."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

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


WHOLE = ssl.PEM_cert_to_DER_cert(trustme.CA().issue_cert("localhost").cert_chain_pems[0].bytes().decode())


@given(st.data())
def test_a_damaged_certificate_is_read_or_refused(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, 200))] = data.draw(st.integers(0, 255))
    cut = damaged[: data.draw(st.integers(0, len(damaged)))]

    with suppress(ValueError):
        certificates.ends(ssl.DER_cert_to_PEM_cert(bytes(cut)).encode())
