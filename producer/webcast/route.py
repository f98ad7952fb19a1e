"""The route to TikTok: direct, or by one proxy, whose own failures are told from TikTok's.

Whatever goes wrong before the proxy has let us through is the proxy's, and all of what comes after is TikTok's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import websockets

from producer import strangers
from producer.answers import NoAnswer
from producer.proxies import Proxy

DEFAULT = "default"
"""The name of the route where no proxies are listed: direct, or by the environment's."""
PROXY_SECONDS = 5.0
"""How long a proxy may take to let us through, so that there is time left for the next one."""


class ProxyFailed(Exception):
    """A proxy let nobody through; the message may be shown."""


class _Refused(Exception):
    """A proxy's answer is a refusal."""


class Passage:
    """One passage: whether the proxy, if there is one, has let us through."""

    def __init__(self, patience: asyncio.Timeout | None) -> None:
        self.through = True
        """A connection that is there already needs no letting through."""
        self._patience = patience

    @property
    def extensions(self) -> dict[str, Any]:
        """What httpx is given to tell us how far it is."""
        return {} if self._patience is None else {"trace": self._trace}

    def begin(self) -> None:
        """The proxy is asked."""
        if self._patience is not None:
            self.through = False
            self._patience.reschedule(asyncio.get_running_loop().time() + PROXY_SECONDS)

    def passed(self) -> None:
        """The proxy let us through."""
        if self._patience is not None:
            self.through = True
            self._patience.reschedule(None)

    async def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(".connect_tcp.started"):
            self.begin()
        elif event == "socks.setup_socks5_connection.complete":
            self.passed()
        elif event == "http11.receive_response_headers.complete":  # of CONNECT, where there is one
            status = info["return_value"][1]
            if status == 407:
                raise _Refused("it answered 407")
            if 200 <= status < 300:
                self.passed()


class Route:
    """An egress's: by one proxy, or by none."""

    def __init__(
        self,
        name: str = DEFAULT,
        proxy: Proxy | None = None,
        failed: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        """`failed` is told the name, and what was wrong, when the proxy fails."""
        self.name = name
        self.proxy = proxy
        self._failed = failed
        self._failures = 0

    @property
    def shown(self) -> str | None:
        """Its name, where there may be others."""
        return None if self.name == DEFAULT else self.name

    def door(self, door: str) -> str:
        """How a door is called, as it is seen from here."""
        return door if self.shown is None else f"{door}@{self.shown}"

    @asynccontextmanager
    async def passage(self, turns: AbstractAsyncContextManager[None]) -> AsyncIterator[Passage]:
        """Go out, in one's turn. Raises ProxyFailed; what else is raised within is raised once we are through."""
        failures = self._failures
        async with turns:
            if self.proxy is None:
                yield Passage(None)
                return
            if self._failures != failures:
                raise ProxyFailed(f"the proxy {self.name} failed meanwhile")
            try:
                async with asyncio.timeout(None) as patience:
                    passage = Passage(patience)
                    yield passage
            except (OSError, NoAnswer, _Refused, websockets.WebSocketException) as cause:
                if passage.through:
                    raise
                self._failures += 1
                detail = _said(cause)
                self._failed(self.name, detail)
                # Not from its cause, which may quote the proxy's URL.
                raise ProxyFailed(f"the proxy {self.name} failed: {detail}") from None


def _said(cause: Exception) -> str:
    if isinstance(cause, TimeoutError) or (isinstance(cause, NoAnswer) and cause.late):
        return f"nothing within {PROXY_SECONDS:g} s"
    why = cause.__cause__ if isinstance(cause, websockets.ProxyError) else None
    return strangers.shown(str(why or cause) or type(cause).__name__)
