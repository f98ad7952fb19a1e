"""Certificates for tests of TLS, as PEM files; Kafka takes keys as PKCS #8 only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key


class Authority:
    """A certificate authority of its own, whose certificate is `ca`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.ca)

    def issue(self, name: str, *, expired: bool = False, common_name: str | None = None) -> tuple[Path, Path]:
        """A certificate for localhost, and its key."""
        ends = datetime.now(UTC) + timedelta(days=-1 if expired else 30)
        issued = self._authority.issue_cert("localhost", common_name=common_name, not_after=ends)
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        key.write_bytes(
            load_pem_private_key(issued.private_key_pem.bytes(), None).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            )
        )
        return certificate, key

    def store(self, name: str, *, expired: bool = False) -> Path:
        """The same as one file, as a broker's keystore."""
        certificate, key = self.issue(name, expired=expired)
        both = self._folder / f"{name}.store.pem"
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        return both
