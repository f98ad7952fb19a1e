"""producer.simulator.posts: a request with a body, in whatever pieces it comes."""

import asyncio

import pytest

from producer.simulator.posts import without_body
from producer.simulator.server import Simulator
from tests.simulator.client import simulate

BODY = b'{"aid": 1988, "service": "www.tiktok.com", "union": false, "unionHost": "", "needFid": false, "fid": ""}'
POST = (
    b"POST /ttwid/register/ HTTP/1.1\r\nHost: x\r\nContent-Length: 104\r\nUser-Agent: b\r\nOrigin: o\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
) + BODY


def test_a_post_becomes_a_get_with_its_body_in_a_header() -> None:
    request = without_body(b"POST /a HTTP/1.1\r\ncontent-length: 3\r\nHost: x\r\n\r\nabc")

    assert request == (b"GET /a HTTP/1.1\r\nHost: x\r\nX-Simulated-Method: POST\r\nX-Simulated-Body: YWJj\r\n\r\n")


@pytest.mark.parametrize("cut", [0, 3, 30, 60, -200, -1])
def test_a_post_that_is_not_whole_waits(cut: int) -> None:
    assert without_body(POST[:cut]) is None


@pytest.mark.parametrize("size", [1, 3, 7, 50, 1000])
def test_a_post_is_answered_in_whatever_pieces_it_comes(size: int) -> None:
    async def act(simulator: Simulator) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        for at in range(0, len(POST), size):
            writer.write(POST[at : at + size])
            await writer.drain()
            await asyncio.sleep(0)
        said = await reader.read()
        writer.close()
        assert said.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b'"status_code": 0' in said

    simulate(act)


def test_who_sends_too_much_is_cut_off() -> None:
    async def act(simulator: Simulator) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        writer.write(b"POST /ttwid/register/ HTTP/1.1\r\nContent-Length: 99999\r\n\r\n" + bytes(20_000))
        assert await reader.read() == b""
        writer.close()

    simulate(act)
