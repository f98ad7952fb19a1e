"""Environment to frozen, typed settings: every problem is reported at once, and unknown names are refused.

A setting is declared once, here: its variable is its name in capitals behind PRODUCER_, its help is its description.
Secrets are named by file and read where they are used, so they are in no environment and rotate without a restart.
"""

import difflib
import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from producer import addresses, proxies, secret_files, wording
from producer.errors import Reason, StartRefused
from producer.proxies import Proxy
from producer.secret_files import SecretUnusable
from producer.strangers import Unreadable, shown

PREFIX = "PRODUCER_"


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _checked(read: Callable[[str], object]) -> AfterValidator:
    """What reads it raises ValueError where it cannot be used; it stays as it was given."""

    def check(value: str) -> str:
        read(value)
        return value

    return AfterValidator(check)


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""Comma-separated in the environment."""


TopicConfig = Literal["cleanup.policy", "compression.type", "min.insync.replicas", "retention.ms", "segment.ms"]
"""Those that we set on a topic."""
LONGEST_SECONDS = 1_000_000
"""Eleven days: in milliseconds, as Kafka's protocol counts them, still a number of 32 bits."""
Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS)]
SecondsOrNone = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]
Port = Annotated[int, Field(ge=0, le=65535)]
NAME = r"^[a-zA-Z0-9._-]+$"
OPTION = r"^[A-Za-z0-9_.-]{1,100}$"
WEB = r"^https?://\S+$"
SOCKET = r"^wss?://\S+$"
UPSTREAM = r"^(tiktok|https?://[^/\s]+/?)$"
PATTERNS = {
    NAME: "it may have letters, digits and . _ - alone",
    OPTION: "it may have letters, digits and . _ - alone, 100 at the most",
    WEB: "it must begin with http:// or https:// and have no space",
    SOCKET: "it must begin with ws:// or wss:// and have no space",
    UPSTREAM: "it must be tiktok, or http:// or https:// with a host and no path",
}
"""What each asks for, in words."""
KafkaName = Annotated[str, Field(pattern=NAME, max_length=200)]
Url = Annotated[str, Field(pattern=WEB), _checked(addresses.url)]
SocketUrl = Annotated[str, Field(pattern=SOCKET), _checked(addresses.base_url)]
BaseUrl = Annotated[str, Field(pattern=WEB), _checked(addresses.base_url)]
Upstream = Annotated[str, Field(pattern=UPSTREAM), _checked(addresses.upstream)]
Servers = Annotated[str, Field(min_length=1), _checked(addresses.servers)]


class Settings(BaseModel):
    """How one worker is set up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upstream: Upstream = Field(
        description="Where LIVE rooms are: `tiktok`, or the URL of a simulator. There is no default, "
        "so that TikTok is contacted only where somebody asked for it."
    )
    doors: Words = Field(
        ("direct",),
        description="The ways into a room, in the order in which they are tried: `direct`, unsigned; `sign`, by a sign "
        "server; `lease`, by a broker of yours; `gateway`, a hosted socket that passes TikTok's frames on.",
    )
    direct_cookie_seconds: Seconds = Field(
        7200.0, description="How long a worker's rooms share one anonymous cookie; a refused one is replaced earlier."
    )
    direct_history_comments: Annotated[int, Field(ge=0, le=100)] = Field(
        6, description="How many of a room's last comments an unsigned socket is asked for when it opens."
    )
    sign_url: BaseUrl | None = Field(None, description="The sign server's base URL; needed for the door `sign`.")
    sign_api_key_file: Path | None = Field(None, description="File with the sign server's API key.")
    sign_calls_per_minute: Annotated[float, Field(ge=0.01, allow_inf_nan=False)] = Field(
        10.0,
        description="The sign server's calls that the key allows, in whole ones. Workers of one list in Kafka share "
        "them out; with a list in a file each worker makes so many, so divide them by the number of workers.",
    )
    gateway_url: SocketUrl = Field(
        "wss://ws.eulerstream.com",
        description="The gateway's socket, for the door `gateway`: asked by the streamer's unique id, and told the key "
        "or token in its query.",
    )
    gateway_key_file: Path | None = Field(None, description="File with the gateway's API key.")
    gateway_jwt_file: Path | None = Field(
        None, description="File with a token (JWT) for the gateway, in the place of a key; read for each connection."
    )
    gateway_raw_option: Annotated[str, Field(pattern=OPTION)] = Field(
        "features.rawMessages",
        description="What the gateway calls the option that makes it pass TikTok's frames on as they are.",
    )
    proxies_file: Path | None = Field(
        None,
        description="File of proxies, a URL a line (http, https, socks5, socks5h): everything to TikTok's hosts and "
        "each room's socket goes by one of them, a room by the same. Without it: direct, or by HTTPS_PROXY.",
    )
    ca_file: Path | None = Field(
        None,
        description="CA certificates (PEM) for TikTok, the doors and https proxies; default: the system's.",
    )
    socket_host_suffixes: Words = Field(
        (),
        description="Further host suffixes, each with its leading dot, that a signed or leased socket's URL may name.",
    )
    lease_url: BaseUrl | None = Field(
        None, description="Base URL of a broker that hands out sockets; needed for the door `lease`."
    )
    lease_token_file: Path | None = Field(None, description="File with the broker's bearer token.")
    lease_contract: Literal["lease", "session"] = Field(
        "lease",
        description="How the broker is asked: by `POST /v1/lease` (docs/doors.md), or `GET /v1/session`.",
    )
    lease_reuse_seconds: Seconds = Field(
        600.0, description="How long after its issue a lease opens further sockets, where it does not expire earlier."
    )
    lease_connects_per_hour: Annotated[int, Field(ge=1, le=100_000)] = Field(
        12, description="Maximum number of sockets that this worker opens by leases in an hour, all rooms together."
    )
    lease_leases_per_hour: Annotated[int, Field(ge=1, le=100_000)] = Field(
        8, description="Maximum number of leases that this worker takes in an hour."
    )

    sessions_directory: Path | None = Field(
        None,
        description="Folder with a file for each session of an account, for streamers whose entry on the list names "
        "one; read whenever such a room connects.",
    )
    session_doors: Words = Field(
        ("direct",),
        description="The doors that may carry a streamer's session: `direct`, to TikTok alone; `sign` and `gateway`, "
        "whose servers are then told it.",
    )

    kafka_bootstrap_servers: Servers = Field(description="Kafka's bootstrap servers, host:port, with commas.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How Kafka's connections are secured."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        None, description="SASL mechanism; needed with a SASL security protocol."
    )
    kafka_sasl_username: str | None = Field(None, description="SASL user name.")
    kafka_sasl_password_file: Path | None = Field(None, description="File with the SASL password.")
    kafka_oauth_token_file: Path | None = Field(
        None, description="OAUTHBEARER: file with a token that somebody keeps fresh; read for each connection."
    )
    kafka_oauth_token_url: Url | None = Field(
        None, description="OAUTHBEARER: an OIDC token endpoint, asked by the client credentials grant."
    )
    kafka_oauth_client_id: str | None = Field(None, description="Client id for that endpoint.")
    kafka_oauth_client_secret_file: Path | None = Field(None, description="File with the client's secret.")
    kafka_oauth_scope: str | None = Field(None, description="Scope to ask for, where the endpoint wants one.")
    kafka_oauth_ca_file: Path | None = Field(
        None, description="CA certificates for that endpoint (PEM); default: the system's."
    )
    kafka_tls_ca_file: Path | None = Field(None, description="CA certificates for Kafka (PEM); default: the system's.")
    kafka_tls_certificate_file: Path | None = Field(None, description="Client certificate for Kafka (PEM).")
    kafka_tls_key_file: Path | None = Field(None, description="Key of the client certificate (PEM).")
    kafka_compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "lz4", description="Compression of record batches."
    )
    kafka_linger_seconds: Annotated[float, Field(ge=0, le=5)] = Field(
        0.02, description="How long a record may wait for company in its batch."
    )
    kafka_max_record_bytes: Annotated[int, Field(ge=1024)] = Field(
        1_000_000, description="Records above this are refused here; keep it below the brokers' message.max.bytes."
    )
    kafka_max_in_flight_records: Annotated[int, Field(ge=1)] = Field(
        20_000, description="Records not yet acknowledged, at the most; beyond it rooms are not read from."
    )
    kafka_max_in_flight_bytes: Annotated[int, Field(ge=1024 * 1024)] = Field(
        32 * 1024 * 1024, description="The same in bytes of keys and values."
    )
    kafka_delivery_timeout_seconds: Seconds = Field(
        15.0, description="How long one batch may take before its Kafka client is replaced and the batch sent again."
    )

    spool_directory: Path | None = Field(
        None, description="Where records go that Kafka does not take in time; without one they wait in memory alone."
    )
    spool_max_bytes: Annotated[int, Field(ge=1024 * 1024)] = Field(
        1024 * 1024 * 1024, description="The bytes that a worker's spool may hold."
    )
    spool_after_seconds: Seconds = Field(
        1.0, description="After how long without an acknowledgement a record is spooled."
    )
    spool_patience_seconds: SecondsOrNone = Field(
        30.0, description="How long a record waits for space in a full spool, while rooms wait, before it is dropped."
    )

    topic_prefix: KafkaName = Field("tiktok.live", description="What topic names start with.")
    topic_partitions: Annotated[int, Field(ge=1, le=100_000)] = Field(
        6, description="Partitions of each topic, when created."
    )
    topic_replication_factor: Annotated[int, Field(ge=1, le=1_000)] = Field(
        3, description="Replication factor of each topic, when created."
    )
    dead_letters_per_minute: Annotated[int, Field(ge=0)] = Field(
        60, description="Dead letters of one room, so many at once too; more are dropped and counted. 0 is no cap."
    )
    topic_retention_days: Annotated[float, Field(gt=0, le=36_500)] = Field(
        30.0, description="How long events are kept, when their topics are created or mended."
    )
    dead_letter_retention_days: Annotated[float, Field(gt=0, le=36_500)] = Field(
        14.0, description="The same of dead letters: long enough to mend what refused them and send them again."
    )
    topic_configs_left_out: Annotated[tuple[TopicConfig, ...], BeforeValidator(_words)] = Field(
        (),
        description="Configurations of topics that a cluster's policy forbids to set, with commas between.",
    )
    schema_registry_url: BaseUrl | None = Field(
        None, description="Confluent-compatible schema registry; without one, Avro single-object encoding is written."
    )

    schema_subject_strategy: Literal["topic_name", "record_name", "topic_record_name"] = Field(
        "topic_name", description="How the subjects of schemas are named, as Confluent's strategies of these names."
    )
    schema_auto_register: bool = Field(
        False, description="Register schemas at start; otherwise a missing one refuses the start."
    )
    schema_registry_patience_seconds: SecondsOrNone = Field(
        60.0, description="How long a registry that does not answer, or answers 429 or 5xx, is asked again."
    )
    schema_registry_username: str | None = Field(None, description="User name for the registry (basic authentication).")
    schema_registry_password_file: Path | None = Field(None, description="File with the registry's password.")
    schema_registry_token_file: Path | None = Field(None, description="File with the registry's bearer token.")
    schema_registry_ca_file: Path | None = Field(
        None, description="CA certificates for the registry (PEM); default: the system's."
    )
    schema_registry_certificate_file: Path | None = Field(
        None, description="Client certificate for the registry (PEM)."
    )
    schema_registry_key_file: Path | None = Field(None, description="Key of that certificate (PEM).")

    assignments_file: Path | None = Field(
        None, description="The list of streamers (YAML, CSV or lines); without one the list is a Kafka topic."
    )
    assignment_slots: Annotated[int, Field(ge=1, le=10_000)] = Field(
        128, description="Partitions of the topic with the list, when created; far more than there will be workers."
    )
    claims_directory: Path | None = Field(
        None, description="Folder of claim files, one for all workers of the machine; default: beside the list."
    )
    claim_session_seconds: Annotated[float, Field(ge=1, le=300)] = Field(
        6.0,
        description="After how long without a sign of life a worker's streamers go to others, where the list is a "
        "Kafka topic; brokers refuse less than their group.min.session.timeout.ms.",
    )
    claim_still_seconds: Annotated[float, Field(ge=0, le=3_600)] = Field(
        60.0,
        description="How long no worker came or went before streamers move only to make shares even: in a rolling "
        "deployment each would move again before it is over.",
    )
    handover_seconds: Seconds = Field(
        15.0,
        description="How long a streamer is streamed on for its next worker to be connected too, where nothing is "
        "heard of that one meanwhile.",
    )
    handover_longest_seconds: Seconds = Field(
        600.0,
        description="How long it is streamed on, at the most, for a next worker that says that it is on the way in: it "
        "may wait for a call of the sign server, or for a door to open.",
    )
    max_streams: Annotated[int, Field(ge=1)] = Field(1_000, description="Streamers, at the most, of this worker.")
    worker_name: Annotated[str, Field(pattern=NAME)] | None = Field(
        None, description="This worker's name in records, claims and logs; default: host name and process id."
    )

    payloads: Literal["none", "undocumented", "all"] = Field(
        "undocumented",
        description="Which events carry their message's bytes, as received, in meta.payload: none, those of kinds "
        "beyond the documentation, or all. Kinds of which little is known carry theirs with each of these.",
    )
    viewers: Literal["plain", "pseudonymous"] = Field(
        "plain",
        description="How viewers leave the process: as TikTok names them, or by pseudonyms under a key of yours, in "
        "records, dead letters and the spool alike (docs/privacy.md).",
    )
    viewers_key_file: Path | None = Field(
        None, description="File with that key, of 16 characters or more; the same one for all workers."
    )
    gift_list_refresh_seconds: SecondsOrNone = Field(
        21_600.0, description="How often the gift list is fetched, for extended_gift; 0 fetches none."
    )

    lookups_per_second: Annotated[float, Field(gt=0, le=10_000)] = Field(
        1.0,
        description="Look-ups, at the most, that leave by one egress of this worker in a second, evenly: TikTok blocks "
        "addresses that ask for more (docs/lookups.md).",
    )
    lookups_per_hour: Annotated[float, Field(ge=1, le=1e9)] | None = Field(
        None, description="The same in any hour, where that is to be less than the seconds add up to."
    )
    live_poll_seconds: Seconds = Field(
        60.0, description="How often an offline streamer is looked up at the most, where the look-ups suffice."
    )
    lookup_longest_seconds: Seconds = Field(
        900.0, description="How long it is not looked up at the most, likely as it may be to be offline: the same."
    )
    room_stats_seconds: Annotated[float, Field(ge=0, le=1e9)] = Field(
        600.0,
        description="How often the totals of a room that is heard are asked for at the most, and published as "
        "room_stats: one request each, within the same budget and behind the look-ups; 0 for never.",
    )
    elsewhere_poll_seconds: Seconds = Field(
        600.0,
        description="How often a streamer is looked up whose name is not known here: misspelt, or of another region.",
    )
    acknowledge: Literal["received", "delivered"] = Field(
        "received",
        description="When a frame is acknowledged to TikTok: once it is read, or once its records are acknowledged by "
        "Kafka or spooled.",
    )
    silence_seconds: Seconds = Field(
        60.0, description="A connected room that sends no messages for this long is looked up and connected anew."
    )
    grace_seconds: Seconds = Field(8.0, description="How long a stop may take: connections, claims, Kafka, the spool.")

    http_host: str = Field(
        "127.0.0.1",
        description="Where /metrics, /livez, /readyz, /startupz and /status listen; `::` is all of IPv6 and IPv4.",
    )
    http_port: Port = Field(
        9464,
        description="Their port; 0 takes a free one and logs it. Not set, it is a free one where 9464 is in use; one "
        "that is set and in use refuses the start.",
    )
    metrics_streamers: Annotated[int, Field(ge=0, le=10_000)] = Field(
        0, description="Streamers, at the most, that have metrics of their own: two series each."
    )
    log_format: Literal["auto", "json", "text"] = Field("auto", description="JSON lines, or text; auto: by terminal.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level logged.")


class _Spared(Settings):
    """Settings of a command that does without some: what is not given of those is empty."""

    upstream: Upstream = ""
    kafka_bootstrap_servers: Servers = ""


REQUIRED = tuple(name for name, field in Settings.model_fields.items() if field.is_required())
"""What a worker cannot do without."""
TOGETHER = (
    ("kafka_tls_certificate_file", "kafka_tls_key_file"),
    ("kafka_oauth_token_url", "kafka_oauth_client_id"),
    ("kafka_oauth_token_url", "kafka_oauth_client_secret_file"),
    ("schema_registry_username", "schema_registry_password_file"),
    ("schema_registry_certificate_file", "schema_registry_key_file"),
)
CREDENTIALS = {
    "upstream": None,
    "sign_url": "sign_api_key_file",
    "lease_url": "lease_token_file",
    "gateway_url": "gateway_key_file",
    "kafka_oauth_token_url": "kafka_oauth_client_secret_file",
    "schema_registry_url": "schema_registry_password_file",
}
"""Where a URL's credentials belong; None where none are needed."""
SECRETS = {
    "sign_api_key_file": True,
    "lease_token_file": True,
    "gateway_key_file": True,
    "gateway_jwt_file": True,
    "kafka_sasl_password_file": False,
    "kafka_oauth_token_file": True,
    "kafka_oauth_client_secret_file": False,
    "schema_registry_password_file": False,
    "schema_registry_token_file": True,
    "viewers_key_file": False,
}
"""Files with a secret in them, and whether it goes into a header as it stands, so that it must be ASCII."""
LEAST_CHARACTERS = {"viewers_key_file": 16}
"""Of secrets that nobody else makes: a short key can be guessed, and with it whose pseudonym is whose."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control letters, and the surrogates by which Python shows bytes that are not UTF-8."""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def secret(name: str, file: Path) -> str:
    """Read the secret that a setting names by its file. Raises StartRefused."""
    try:
        found = secret_files.read(file, in_header=SECRETS[name])
    except SecretUnusable as unusable:
        raise StartRefused(f"{variable(name)}: {unusable}", reason=unusable.reason) from None
    if len(found) < (least := LEAST_CHARACTERS.get(name, 0)):
        raise StartRefused(f"{variable(name)}: {file} has less than {least} characters", reason=Reason.CREDENTIALS)
    return found


def proxy_list(file: Path) -> tuple[Proxy, ...]:
    """Read the file that PRODUCER_PROXIES_FILE names. Raises StartRefused."""
    try:
        return proxies.read_list(secret_files.text(file))
    except SecretUnusable as unusable:
        raise StartRefused(f"{variable('proxies_file')}: {unusable}", reason=unusable.reason) from None
    except Unreadable as problem:
        raise StartRefused(f"{variable('proxies_file')}: {file}: {problem}") from None


def from_environ(environ: Mapping[str, str], *, needed: Collection[str] = REQUIRED) -> Settings:
    """Read the settings. Raises StartRefused with one line for each problem. An empty value counts as not set.

    Of the required ones `needed` names those that may not be missing; another that is not set is an empty text.
    """
    known = {variable(name): name for name in Settings.model_fields}
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    if broken := [(name, found.start() + 1) for name in given if (found := CONTROL.search(given[name]))]:
        raise StartRefused(
            "\n".join(f"{name}: letter {place} is a line break, or no letter at all" for name, place in broken)
        )
    problems = [_unknown(name, known) for name in sorted(given.keys() - known.keys())]
    values: dict[str, Any] = {known[name]: value for name, value in given.items() if name in known and value != ""}
    problems += [_missing(name) for name in needed if name not in values]
    try:
        settings = _Spared.model_validate(values)
    except ValidationError as invalid:
        problems += [_line(error, values) for error in invalid.errors()]
    problems += _misfits(values)
    problems += proxies.problems(environ)
    if problems:
        raise StartRefused("\n".join(problems))
    return settings


RENAMED = {f"{PREFIX}ADDRESS_STRATEGY": f"{PREFIX}DOORS is a list of doors in their order, such as direct,sign"}
DOORS: dict[str, tuple[str, ...]] = {
    "direct": (),
    "sign": ("sign_url",),
    "lease": ("lease_url",),
    "gateway": ("gateway_key_file", "gateway_jwt_file"),
}
"""The doors, each with the settings of which it needs one."""
SESSION_DOORS = ("direct", "sign", "gateway")
"""Those that can carry a session; for a broker of leases no way is known."""


def _door_misfits(values: Mapping[str, str]) -> Iterator[str]:
    doors = [door.strip() for door in values.get("doors", "direct").split(",")]
    for place, door in enumerate(doors, 1):
        if door not in DOORS:
            yield f"{PREFIX}DOORS: entry {place} is none of {', '.join(DOORS)}"
        elif door in doors[: place - 1]:
            yield f"{PREFIX}DOORS: {door} is there twice"
        elif (needed := DOORS[door]) and not values.keys() & needed:
            yield f"{PREFIX}DOORS has {door}, so {' or '.join(map(variable, needed))} is needed"
    for place, door in enumerate(filter(None, map(str.strip, values.get("session_doors", "").split(","))), 1):
        if door not in SESSION_DOORS:
            yield f"{PREFIX}SESSION_DOORS: entry {place} is none of {', '.join(SESSION_DOORS)}"


def _misfits(values: Mapping[str, str]) -> Iterator[str]:
    """Settings that do not go together."""
    yield from _door_misfits(values)
    if "gateway_key_file" in values and "gateway_jwt_file" in values:
        yield f"{PREFIX}GATEWAY_KEY_FILE and {PREFIX}GATEWAY_JWT_FILE exclude each other"
    if (values.get("viewers") == "pseudonymous") != ("viewers_key_file" in values):
        yield f"{PREFIX}VIEWERS=pseudonymous and {PREFIX}VIEWERS_KEY_FILE belong together"
    protocol = values.get("kafka_security_protocol", "")
    if protocol.startswith("SASL"):
        yield from _sasl_misfits(values, protocol)
    for one, other in TOGETHER:
        if (one in values) != (other in values):
            yield f"{variable(one)} and {variable(other)} belong together"
    if "schema_registry_username" in values and "schema_registry_token_file" in values:
        yield f"{PREFIX}SCHEMA_REGISTRY_USERNAME and {PREFIX}SCHEMA_REGISTRY_TOKEN_FILE exclude each other"
    for place, suffix in enumerate(values.get("socket_host_suffixes", "").split(","), 1):
        if suffix and not re.fullmatch(r"(\.[a-z0-9-]+){2,}", suffix.strip()):
            yield f"{PREFIX}SOCKET_HOST_SUFFIXES: entry {place} is not a dot and a domain, as .example.com"


def _sasl_misfits(values: Mapping[str, str], protocol: str) -> Iterator[str]:
    if values.get("kafka_sasl_mechanism") == "OAUTHBEARER":
        if ("kafka_oauth_token_file" in values) == ("kafka_oauth_token_url" in values):
            yield (
                f"{PREFIX}KAFKA_SASL_MECHANISM=OAUTHBEARER needs either {PREFIX}KAFKA_OAUTH_TOKEN_FILE or "
                f"{PREFIX}KAFKA_OAUTH_TOKEN_URL"
            )
        return
    for name in ("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password_file"):
        if name not in values:
            yield f"{variable(name)} is needed with {PREFIX}KAFKA_SECURITY_PROTOCOL={protocol}"


def _unknown(name: str, known: Mapping[str, str]) -> str:
    if name in RENAMED:
        return f"{name} is not a setting any more: {RENAMED[name]}"
    names = [known_name.removeprefix(PREFIX) for known_name in known]
    close = difflib.get_close_matches(name.removeprefix(PREFIX), names, n=1)
    hint = f"; did you mean {PREFIX}{close[0]}?" if close else "; `producer settings` lists them all"
    return f"{name} is not a setting{hint}"


def _missing(name: str) -> str:
    meaning = str(Settings.model_fields[name].description).partition(". ")[0].rstrip(".")
    return f"{variable(name)} is not set: {meaning}"


def _line(error: ErrorDetails, values: Mapping[str, str]) -> str:
    """Say what is wrong with a value; it is quoted only where it is to be a number or one of a few words.

    Anything else may be a secret that was put into the wrong variable.
    """
    name = str(error["loc"][0])
    problem = wording.in_words(error, PATTERNS)
    if name in CREDENTIALS:
        if "@" in values[name]:
            secret = CREDENTIALS[name]
            return f"{variable(name)} must not have credentials in it" + (f"; see {variable(secret)}" if secret else "")
        return f"{variable(name)}: it is no URL that can be used ({problem})"
    quoted = f"='{shown(values[name])}'" if name in _quotable() else ""
    return f"{variable(name)}{quoted}: {problem}"


@functools.cache
def _quotable() -> frozenset[str]:
    """Settings that are numbers, yes or no, or one of a few words."""
    properties = Settings.model_json_schema()["properties"]
    kinds = {name: [shown, *shown.get("anyOf", ())] for name, shown in properties.items()}
    plain = ("integer", "number", "boolean")
    return frozenset(
        name for name, shown in kinds.items() if any("enum" in one or one.get("type") in plain for one in shown)
    )
