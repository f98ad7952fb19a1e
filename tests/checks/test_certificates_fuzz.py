"""A file of certificates that anybody may have written: when they end, or ValueError."""

import ssl
from random import Random

import trustme

from producer.checks import certificates
from tests.fuzzing import fuzz, mutate

PEM = trustme.CA().issue_cert("localhost").cert_chain_pems[0].bytes()
DER = ssl.PEM_cert_to_DER_cert(PEM.decode())


def file(chance: Random) -> bytes:
    """One or two certificates, damaged before they were encoded, after, or not at all."""
    if chance.random() < 0.5:
        return mutate((PEM, PEM * 2), chance)
    damaged = bytearray(DER)
    for _ in range(chance.randrange(4)):
        damaged[chance.randrange(min(200, len(damaged)))] = chance.randrange(256)
    return ssl.DER_cert_to_PEM_cert(mutate((bytes(damaged),), chance)).encode()


def test_files_of_certificates() -> None:
    def read(data: bytes) -> None:
        assert 1 <= len(certificates.ends(data)) <= data.count(b"-----BEGIN CERTIFICATE-----")

    fuzz(file, read, ValueError)
