"""producer.settings: every problem at once, each naming its variable."""

import re
from collections.abc import Collection
from pathlib import Path
from traceback import format_exception

import pytest

from producer.errors import Recovery, StartRefused
from producer.settings import REQUIRED, SECRETS, Settings, from_environ, secret

LEAST = {"PRODUCER_UPSTREAM": "http://127.0.0.1:8100", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"}


def problems(environ: dict[str, str], *, needed: Collection[str] = REQUIRED) -> list[str]:
    with pytest.raises(StartRefused) as refused:
        from_environ(environ, needed=needed)
    assert refused.value.recovery is Recovery.EXIT
    return str(refused.value).splitlines()


def test_two_variables_suffice() -> None:
    settings = from_environ(LEAST)

    assert settings.topic_prefix == "tiktok.live"
    assert settings.doors == ("direct",)


def test_values_take_their_types() -> None:
    settings = from_environ(
        LEAST
        | {
            "PRODUCER_HTTP_PORT": "9500",
            "PRODUCER_SILENCE_SECONDS": "12.5",
            "PRODUCER_ASSIGNMENTS_FILE": "list.yaml",
            "PRODUCER_SOCKET_HOST_SUFFIXES": ".example.com, .example.net",
        }
    )

    assert settings.http_port == 9500
    assert settings.silence_seconds == 12.5
    assert settings.assignments_file == Path("list.yaml")
    assert settings.socket_host_suffixes == (".example.com", ".example.net")


def test_nobody_is_contacted_by_default() -> None:
    [problem] = problems({"PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"})

    assert problem == "PRODUCER_UPSTREAM is not set: Where LIVE rooms are: `tiktok`, or the URL of a simulator"


def test_a_command_may_do_without_what_a_worker_needs() -> None:
    assert from_environ({}, needed=()).upstream == ""
    assert problems({"PRODUCER_UPSTREAM": "ftp://x"}, needed=("kafka_bootstrap_servers",)) == [
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS is not set: Kafka's bootstrap servers, host:port, with commas",
        "PRODUCER_UPSTREAM: it is no URL that can be used "
        "(it must be tiktok, or http:// or https:// with a host and no path)",
    ]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_what_is_wrong_with_a_value_is_one_line_in_plain_words(name: str) -> None:
    for value in ("lots", "-1", "1e99", "nan", "a b", "a" * 300, "ftp://x", ",", "@"):
        try:
            from_environ({f"PRODUCER_{name.upper()}": value}, needed=())
        except StartRefused as refused:
            lines = str(refused).splitlines()
            assert all(line.startswith("PRODUCER_") for line in lines)
            assert [line for line in lines if re.search("Input|String|pattern|Value error|parse", line)] == []


def test_a_misspelt_variable_is_refused_with_the_nearest_known_one() -> None:
    [problem] = problems(LEAST | {"PRODUCER_KAFKA_LINGER_SECOND": "1"})

    assert problem == "PRODUCER_KAFKA_LINGER_SECOND is not a setting; did you mean PRODUCER_KAFKA_LINGER_SECONDS?"


def test_a_variable_like_no_other_is_refused_without_a_guess() -> None:
    [problem] = problems(LEAST | {"PRODUCER_XYZZY": "1"})

    assert problem == "PRODUCER_XYZZY is not a setting; `producer settings` lists them all"


def test_variables_of_others_are_nobodys_business() -> None:
    from_environ(LEAST | {"HOME": "/", "PRODUCERX": "1"})


def test_every_problem_is_reported_at_once() -> None:
    found = problems(
        {
            "PRODUCER_UPSTREAM": "ftp://x",
            "PRODUCER_HTTP_PORT": "many",
            "PRODUCER_MAX_STREAMS": "0",
            "PRODUCER_KAFKA_COMPRESION": "zstd",
            "PRODUCER_DOORS": "sign",
            "PRODUCER_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "PRODUCER_KAFKA_SASL_USERNAME": "me",
            "PRODUCER_KAFKA_TLS_KEY_FILE": "key.pem",
            "PRODUCER_SOCKET_HOST_SUFFIXES": "com",
        }
    )

    assert [line.split("=")[0].split(":")[0] for line in found] == [
        "PRODUCER_KAFKA_COMPRESION is not a setting; did you mean PRODUCER_KAFKA_COMPRESSION?",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS is not set",
        "PRODUCER_UPSTREAM",
        "PRODUCER_MAX_STREAMS",
        "PRODUCER_HTTP_PORT",
        "PRODUCER_DOORS has sign, so PRODUCER_SIGN_URL is needed",
        "PRODUCER_KAFKA_SASL_MECHANISM is needed with PRODUCER_KAFKA_SECURITY_PROTOCOL",
        "PRODUCER_KAFKA_SASL_PASSWORD_FILE is needed with PRODUCER_KAFKA_SECURITY_PROTOCOL",
        "PRODUCER_KAFKA_TLS_CERTIFICATE_FILE and PRODUCER_KAFKA_TLS_KEY_FILE belong together",
        "PRODUCER_SOCKET_HOST_SUFFIXES",
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "PRODUCER_DOORS has gateway, so PRODUCER_GATEWAY_KEY_FILE or PRODUCER_GATEWAY_JWT_FILE is needed"),
        (
            {"KEY_FILE": "k", "JWT_FILE": "j"},
            "PRODUCER_GATEWAY_KEY_FILE and PRODUCER_GATEWAY_JWT_FILE exclude each other",
        ),
        (
            {"KEY_FILE": "k", "URL": "wss://gateway/?apiKey=canary"},
            "PRODUCER_GATEWAY_URL: it is no URL that can be used (it has a query in it)",
        ),
        (
            {"KEY_FILE": "k", "URL": "wss://canary@gateway"},
            "PRODUCER_GATEWAY_URL must not have credentials in it; see PRODUCER_GATEWAY_KEY_FILE",
        ),
    ],
)
def test_a_gateway_needs_one_secret_and_has_it_in_a_file(given: dict[str, str], problem: str) -> None:
    gateway = {f"PRODUCER_GATEWAY_{name}": value for name, value in given.items()}

    assert problems(LEAST | {"PRODUCER_DOORS": "direct,gateway"} | gateway) == [problem]


def test_a_gateway_has_the_address_of_the_one_on_record() -> None:
    chosen = from_environ(LEAST | {"PRODUCER_DOORS": "gateway", "PRODUCER_GATEWAY_JWT_FILE": "j"})

    assert (chosen.gateway_url, chosen.gateway_raw_option) == ("wss://ws.eulerstream.com", "features.rawMessages")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert from_environ(LEAST | {"PRODUCER_SIGN_URL": ""}).sign_url is None


@pytest.mark.parametrize(
    "url",
    ["https://www.tiktok.com", "http://TikTok.com/", "https://webcast.TIKTOK.com:443", "https://www.tiktok.com."],
)
def test_tiktok_is_no_simulator(url: str) -> None:
    """By its URL it would have one host for everything, and no allow-list."""
    [problem] = problems(LEAST | {"PRODUCER_UPSTREAM": url})

    assert problem.startswith("PRODUCER_UPSTREAM: ")
    assert problem.endswith("(TikTok itself is not named by a URL: say tiktok)")


@pytest.mark.parametrize("url", ["tiktok", "http://tiktok.com.example", "http://nottiktok.com", "http://127.0.0.1:1"])
def test_what_is_not_below_tiktoks_name_may_be_a_simulator(url: str) -> None:
    assert from_environ(LEAST | {"PRODUCER_UPSTREAM": url}).upstream == url


@pytest.mark.parametrize("suffix", [".com", "example.com", ".evil", "1.2.3.4"])
def test_a_socket_host_suffix_that_would_open_the_door_is_refused(suffix: str) -> None:
    [problem] = problems(LEAST | {"PRODUCER_SOCKET_HOST_SUFFIXES": suffix})

    assert problem.startswith("PRODUCER_SOCKET_HOST_SUFFIXES")


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({}, "needs either PRODUCER_KAFKA_OAUTH_TOKEN_FILE or PRODUCER_KAFKA_OAUTH_TOKEN_URL"),
        ({"TOKEN_FILE": "t", "TOKEN_URL": "https://idp/t"}, "needs either PRODUCER_KAFKA_OAUTH_TOKEN_FILE or"),
        ({"TOKEN_URL": "https://idp/t", "CLIENT_SECRET_FILE": "s"}, "PRODUCER_KAFKA_OAUTH_CLIENT_ID belong together"),
        ({"TOKEN_URL": "https://me:secret@idp/t"}, "PRODUCER_KAFKA_OAUTH_TOKEN_URL must not have credentials in it"),
    ],
)
def test_a_token_comes_from_one_place(given: dict[str, str], needed: str) -> None:
    sasl = {"PRODUCER_KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "PRODUCER_KAFKA_SASL_MECHANISM": "OAUTHBEARER"}
    oauth = {f"PRODUCER_KAFKA_OAUTH_{name}": value for name, value in given.items()}

    found = problems(LEAST | sasl | oauth)
    assert any(needed in line for line in found)
    assert "secret@" not in "".join(found)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("UPSTREAM", "http://me:canary@127.0.0.1:1", "PRODUCER_UPSTREAM must not have credentials in it"),
        (
            "LEASE_URL",
            "https://canary@broker",
            "PRODUCER_LEASE_URL must not have credentials in it; see PRODUCER_LEASE_TOKEN_FILE",
        ),
        (
            "SIGN_URL",
            "https://canary@sign",
            "PRODUCER_SIGN_URL must not have credentials in it; see PRODUCER_SIGN_API_KEY_FILE",
        ),
        (
            "SIGN_URL",
            "https://sign/?key=canary",
            "PRODUCER_SIGN_URL: it is no URL that can be used (it has a query in it)",
        ),
        (
            "SCHEMA_REGISTRY_URL",
            "http://registry:canary",
            "PRODUCER_SCHEMA_REGISTRY_URL: it is no URL that can be used (its host or port is none)",
        ),
        (
            "KAFKA_BOOTSTRAP_SERVERS",
            "kafka:canary",
            "PRODUCER_KAFKA_BOOTSTRAP_SERVERS: server 1 is not host:port, with IPv6 in brackets: "
            "its host or port is none",
        ),
        (
            "TOPIC_PREFIX",
            "ca/nary",
            "PRODUCER_TOPIC_PREFIX: it may have letters, digits and . _ - alone",
        ),
        ("WORKER_NAME", "canary\n", "PRODUCER_WORKER_NAME: letter 7 is a line break, or no letter at all"),
        ("SPOOL_DIRECTORY", "/canary\udcff", "PRODUCER_SPOOL_DIRECTORY: letter 8 is a line break, or no letter at all"),
        (
            "MAX_STREAMS",
            "lots",
            "PRODUCER_MAX_STREAMS='lots': it is no whole number",
        ),
        (
            "KAFKA_DELIVERY_TIMEOUT_SECONDS",
            "1e9",
            "PRODUCER_KAFKA_DELIVERY_TIMEOUT_SECONDS='1e9': it must be 1,000,000 or less",
        ),
    ],
)
def test_a_value_is_quoted_only_where_it_can_be_no_secret(name: str, value: str, problem: str) -> None:
    found = problems(LEAST | {f"PRODUCER_{name}": value})

    assert found == [problem]


def test_a_proxy_that_no_client_could_use_refuses_the_start() -> None:
    assert problems(LEAST | {"HTTPS_PROXY": "me:canary@proxy:3128"}) == [
        "HTTPS_PROXY has no scheme; write it as http://host:port"
    ]


def test_a_secret_is_read_or_named_by_its_setting(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("canary\nX-More: 1")

    with pytest.raises(StartRefused) as refused:
        secret("schema_registry_token_file", file)

    line = f"PRODUCER_SCHEMA_REGISTRY_TOKEN_FILE: {file} cannot be used: letter 7 is a line break"
    assert str(refused.value) == line
    assert "canary" not in "".join(format_exception(refused.value))


def test_each_file_with_a_secret_is_known_as_one() -> None:
    named = {
        name
        for name in Settings.model_fields
        if name.endswith(("_api_key_file", "_jwt_file", "_password_file", "_secret_file", "_token_file"))
        or name in ("gateway_key_file", "viewers_key_file")
    }

    assert named == SECRETS.keys()


def test_a_session_goes_by_doors_that_can_carry_one() -> None:
    assert problems(LEAST | {"PRODUCER_SESSION_DOORS": "direct,lease"}) == [
        "PRODUCER_SESSION_DOORS: entry 2 is none of direct, sign, gateway"
    ]
    assert from_environ(LEAST).session_doors == ("direct",)
    assert from_environ(LEAST | {"PRODUCER_SESSION_DOORS": "sign, gateway"}).session_doors == ("sign", "gateway")


@pytest.mark.parametrize("given", [{"PRODUCER_VIEWERS": "pseudonymous"}, {"PRODUCER_VIEWERS_KEY_FILE": "key"}])
def test_pseudonyms_and_their_key_belong_together(given: dict[str, str]) -> None:
    assert problems(LEAST | given) == ["PRODUCER_VIEWERS=pseudonymous and PRODUCER_VIEWERS_KEY_FILE belong together"]


def test_a_key_of_pseudonyms_that_can_be_guessed_is_refused_without_its_letters(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("canary78901234\n")

    with pytest.raises(StartRefused) as refused:
        secret("viewers_key_file", file)

    assert str(refused.value) == f"PRODUCER_VIEWERS_KEY_FILE: {file} has less than 16 characters"
