"""Why Kafka cannot be reached, in a line: aiokafka only says that it could not bootstrap, and logs the reasons."""

import socket
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka import errors as kafka_errors
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.protocol.metadata import MetadataRequest

from producer.kafka.security import NoToken
from producer.strangers import shown

PROBE_SECONDS = 5.0

CAUSES = ("address", "authentication", "authorization", "closed", "other", "refused", "timeout", "tls", "token")
"""The kinds of trouble, as metrics label them."""

AUTHENTICATION = (
    kafka_errors.AuthenticationFailedError,
    kafka_errors.SaslAuthenticationFailed,
    kafka_errors.IllegalSaslStateError,
)
MECHANISM = (kafka_errors.UnsupportedSaslMechanismError, kafka_errors.AuthenticationMethodNotSupported)


class Unreached(kafka_errors.KafkaConnectionError):  # type: ignore[misc]  # the base has no types
    """No broker could be used. `cause` is one of CAUSES."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause

    def __str__(self) -> str:
        return str(self.args[0])  # the base puts the type's name before it


async def unreached(options: Mapping[str, Any]) -> Unreached | None:
    """Knock at each address that a client was given; say why the first that fails does, or None where all answer."""
    security = {key: value for key, value in options.items() if key not in ("bootstrap_servers", "client_id")}
    for host, port, _ in collect_hosts(options["bootstrap_servers"], randomize=False):
        try:
            await _knock(host, port, security)
        except (OSError, TimeoutError, ValueError, kafka_errors.KafkaError) as error:
            cause, meaning = explain(error, options)
            return Unreached(f"{host}:{port} {meaning}", cause)
    return None


async def _knock(host: str, port: int, security: Mapping[str, Any]) -> None:
    """Connect, and ask for the brokers. Raises what connecting raises."""
    connection = await create_conn(host, port, request_timeout_ms=int(PROBE_SECONDS * 1000), **security)
    try:
        answer = await connection.send(MetadataRequest([]))
    finally:
        await connection.close()
    if not answer.brokers and security.get("sasl_mechanism") == "OAUTHBEARER":
        # A broker that refuses a token says so in a challenge (RFC 7628, section 3.2.2). aiokafka takes it for a yes;
        # what is said from then on is not understood.
        raise kafka_errors.SaslAuthenticationFailed


def explain(error: BaseException, options: Mapping[str, Any]) -> tuple[str, str]:
    """One of CAUSES, and what to do about what connecting raised."""
    below = error.__cause__
    if isinstance(below, OSError) and isinstance(error, kafka_errors.KafkaConnectionError):
        error = below  # what the socket said when it was closed
    protocol, mechanism = options["security_protocol"], options.get("sasl_mechanism")
    match error:
        case ssl.SSLCertVerificationError():
            return "tls", (
                f"shows a certificate that is not trusted ({error.verify_message}): look at its certificate and at "
                "PRODUCER_KAFKA_TLS_CA_FILE"
            )
        case ssl.SSLError(reason=str(reason)) if "ALERT" in reason:
            return "tls", (
                f"refuses our certificate ({_plain(reason)}): look at PRODUCER_KAFKA_TLS_CERTIFICATE_FILE and "
                "PRODUCER_KAFKA_TLS_KEY_FILE"
            )
        case ssl.SSLError():
            return "tls", (
                f"does not speak TLS as we do ({_plain(error.reason or str(error))}): is "
                f"PRODUCER_KAFKA_SECURITY_PROTOCOL={protocol} right for this port?"
            )
        case socket.gaierror():
            return "address", f"is not known ({error.strerror}): look at PRODUCER_KAFKA_BOOTSTRAP_SERVERS"
        case ConnectionRefusedError():
            return (
                "refused",
                "refuses connections, so nobody listens there, now or at all: look at PRODUCER_KAFKA_BOOTSTRAP_SERVERS",
            )
        case TimeoutError():
            return (
                "timeout",
                f"does not answer within {PROBE_SECONDS:g} s: look at PRODUCER_KAFKA_BOOTSTRAP_SERVERS and the network",
            )
        case NoToken():
            return "token", f"was not asked: {error}"
        case _ if isinstance(error, MECHANISM):
            return "authentication", f"does not take PRODUCER_KAFKA_SASL_MECHANISM={mechanism}"
        case _ if isinstance(error, AUTHENTICATION):
            if mechanism == "OAUTHBEARER":
                return "authentication", "does not take our token: look at the PRODUCER_KAFKA_OAUTH_ settings"
            return "authentication", (
                f"does not let {options.get('sasl_plain_username')} in: look at PRODUCER_KAFKA_SASL_USERNAME and "
                "PRODUCER_KAFKA_SASL_PASSWORD_FILE"
            )
        case kafka_errors.KafkaConnectionError() | OSError():
            return "closed", (
                f"closes our connection at once: is PRODUCER_KAFKA_SECURITY_PROTOCOL={protocol} right for this port?"
            )
        case _:
            return "other", f"cannot be used: {shown(str(error) or type(error).__name__)}"


def _plain(reason: str) -> str:
    return reason.replace("_", " ").lower()
