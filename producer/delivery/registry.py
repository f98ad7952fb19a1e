"""Schema registry (Confluent's API): registering our schemas, and finding their ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from producer.errors import StartRefused
from producer.events.schemas import Schema

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
COMPATIBILITY = "FULL_TRANSITIVE"
NOT_FOUND = frozenset({40401, 40402, 40403})


def subject(topic: str) -> str:
    """The subject of a topic's values (TopicNameStrategy)."""
    return f"{topic}-value"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one of our schemas stands with a registry."""

    subject: str
    state: Literal["registered", "compatible", "absent", "incompatible"]
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.state:<12}  {self.subject}{f': {self.detail}' if self.detail else ''}"


class Registry:
    """One registry; use it as an async context manager."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"), timeout=10.0, headers={"Accept": CONTENT_TYPE}, transport=transport
        )

    async def __aenter__(self) -> "Registry":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def register(self, schema: Schema, topic: str) -> int:
        """Register a schema under its topic's subject, compatible with all before it; return its id.

        Raises StartRefused, with the registry's own words where it refuses.
        """
        name = subject(topic)
        await self._call("PUT", f"/config/{name}", {"compatibility": COMPATIBILITY})
        return self._id(await self._call("POST", f"/subjects/{name}/versions", {"schema": schema.text}))

    async def check(self, schema: Schema, topic: str) -> Standing:
        """Compare a schema with what stands under its topic's subject; change nothing. Raises StartRefused."""
        name = subject(topic)
        if await self._call("POST", f"/subjects/{name}", {"schema": schema.text}, absent_is_none=True):
            return Standing(name, "registered")
        path = f"/compatibility/subjects/{name}/versions?verbose=true"
        answer = await self._call("POST", path, {"schema": schema.text}, absent_is_none=True)
        if answer is None:
            return Standing(name, "absent")
        if answer.get("is_compatible") is True:
            versions = await self._call("GET", f"/subjects/{name}/versions", absent_is_none=True)
            return Standing(name, "compatible" if versions else "absent")
        return Standing(name, "incompatible", "; ".join(map(str, answer.get("messages") or ())))

    async def ids(self, schemas: Mapping[str, Schema], *, topic_prefix: str) -> dict[str, int]:
        """Find the id of each schema by event name. Raises StartRefused, naming every subject that lacks its schema."""
        found: dict[str, int] = {}
        missing: list[str] = []
        for event, schema in schemas.items():
            name = subject(schema.topic(topic_prefix))
            answer = await self._call("POST", f"/subjects/{name}", {"schema": schema.text}, absent_is_none=True)
            if answer is None:
                missing.append(name)
            else:
                found[event] = self._id(answer)
        if missing:
            raise StartRefused(
                f"the registry at {self._url} lacks our schema under: {', '.join(missing)}; "
                "run `producer schemas register`"
            )
        return found

    async def _call(
        self, method: str, path: str, body: Mapping[str, str] | None = None, *, absent_is_none: bool = False
    ) -> Any:
        try:
            response = await self._client.request(method, path, json=body, headers={"Content-Type": CONTENT_TYPE})
            answer = response.json()
        except (httpx.HTTPError, ValueError) as cause:
            raise StartRefused(
                f"the schema registry at {self._url} cannot be used: {type(cause).__name__} {cause}"
            ) from cause
        if response.is_success:
            return answer
        said = answer if isinstance(answer, dict) else {}
        if absent_is_none and said.get("error_code") in NOT_FOUND:
            return None
        raise StartRefused(
            f"the schema registry refused {method} {path}: {response.status_code} {said.get('message', '')}"
        )

    def _id(self, answer: Any) -> int:
        if isinstance(answer, dict) and isinstance(answer.get("id"), int):
            return int(answer["id"])
        raise StartRefused(f"the schema registry at {self._url} answered without a schema id")
