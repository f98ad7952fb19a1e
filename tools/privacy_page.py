"""docs/privacy.md: which fields name or picture a viewer, out of the schemas, and what can be done about them."""

from pathlib import Path

from producer.events import schemas

PAGE = Path("docs/privacy.md")
TAG = "PII"

TEXT = """# Viewers' data

Generated from `schemas/` by `make generate`; do not edit.

Records name people: TikTok sends with each message who it is of. Each field that names or pictures somebody, or may,
has the Avro property `confluent:tags: ["PII"]` in its schema, which data catalogues and Confluent's rules read. They
are listed below. What people wrote (`comment`, `questionText`) is not marked, and may name anybody.

## Pseudonyms

`PRODUCER_VIEWERS=pseudonymous` lets nobody's id, handle, display name or picture leave the process: not in records,
dead letters, the spool, logs or `/status`. `PRODUCER_VIEWERS_KEY_FILE` names a file with the key (16 characters or
more, the same for all workers, for example of `openssl rand -hex 32`); in the chart it is `secretFiles:
{viewers_key_file: {name: ..., key: ...}}`.

* An **id** becomes a number of 63 bits, the first eight bytes of the HMAC-SHA-256 of its decimal digits without the
  lowest bit. `..._str` twins and ids that TikTok sends as texts are the same number.
* A **handle or name** becomes `p` and 24 hexadecimal digits of an HMAC.
* **Pictures** are gone (`profilePicture` is null), **links** (`schema`, `url`) lose their query, and a text in the
  slot of another text, which may be a name, becomes a pseudonym unless it is a number of at most six digits.
* **Bytes** (`unknown`'s `payload`, `meta.payload`, a dead letter's value) become 32 bytes of an HMAC. Such a letter
  tells what was refused and why, but `producer dlq replay` can make nothing of it.
* Ids that have an id of somebody in them (`meta.streak_id`, a total's `meta.event_id`) are made of pseudonyms.

The same person is the same pseudonym in every record, room and worker, so joins and counts work. Levels, badges,
numbers of followers and what people wrote stay. The streamer is no viewer: `meta.streamer`, the key and
`meta.streamer_id` are plain; where a message names the streamer as a user (a host, a receiver of gifts), that is a
pseudonym too, and always the same one.

**Another key** makes everybody somebody else: joins hold within the time of one key. Change it by the file and a
restart of all workers, and throw the old key away to cut the past off; whoever has a key can find out who an id was,
since ids are few enough to be tried. Records from before the setting stay as they are on their topics, for as long as
those keep them.

## The fields

| record | fields |
|---|---|
"""


def page(into: Path) -> list[Path]:
    """Write the page below `into`; return its place in the repository."""
    rows = []
    for name, record in schemas.records().items():
        fields = [f"`{field['name']}`" for field in record["fields"] if TAG in field.get("confluent:tags", ())]
        if fields:
            rows.append(f"| [{name}](events.md#{name.lower()}) | {', '.join(fields)} |\n")
    (into / PAGE).parent.mkdir(parents=True, exist_ok=True)
    (into / PAGE).write_text(TEXT + "".join(rows), "utf-8")
    return [PAGE]
