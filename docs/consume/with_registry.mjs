// What each streamer was given: `node with_registry.mjs BROKERS REGISTRY tiktok.live.gift_finalized.v1`.
import { Consumer } from '@platformatic/kafka';
import avsc from 'avsc';

const REMEMBERED = 100_000;
const [brokers, registry, topic] = process.argv.slice(2);

// A number of JavaScript's holds 53 bits; avsc refuses longs that need more unless it is given a type for them.
const long = avsc.types.LongType.__with({
  fromBuffer: (buffer) => buffer.readBigInt64LE(),
  toBuffer: (value) => { const buffer = Buffer.alloc(8); buffer.writeBigInt64LE(value); return buffer; },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value) => typeof value === 'bigint',
  compare: (one, other) => Number(one > other) - Number(one < other),
});

const types = new Map();
async function typeOf(id) {
  if (!types.has(id)) {
    const answer = await fetch(`${registry}/schemas/ids/${id}`);
    if (!answer.ok) throw new Error(`the registry answers ${answer.status} for schema ${id}`);
    types.set(id, avsc.Type.forSchema(JSON.parse((await answer.json()).schema), { registry: { long } }));
  }
  return types.get(id);
}

const seen = new Set();
const diamonds = new Map();
const consumer = new Consumer({ clientId: 'gifts-node', groupId: 'gifts-node', bootstrapBrokers: brokers.split(',') });
// The sums are kept in memory, so each start reads from the beginning.
for await (const { key, value } of await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })) {
  if (value[0] !== 0) throw new Error(`not the Confluent wire format: it begins with ${value[0]}`);
  const gift = (await typeOf(value.readUInt32BE(1))).fromBuffer(value.subarray(5));

  if (seen.has(gift.meta.event_id)) continue;
  seen.add(gift.meta.event_id);
  if (seen.size > REMEMBERED) seen.delete(seen.values().next().value); // the oldest

  const streamer = key.toString();
  const receiver = gift.receiver_id ?? streamer; // a guest, or the streamer by number; null is not said
  const sum = (diamonds.get(receiver) ?? 0n) + (gift.diamonds ?? 0n); // null is unknown
  diamonds.set(receiver, sum);
  // gift.user.user_id_str is the same id as a text, for programs without the type above.
  console.log(`${streamer}: ${gift.count} ${gift.gift_name} from ${gift.user?.userId ?? '?'}, ${receiver} has ${sum}`);
}
