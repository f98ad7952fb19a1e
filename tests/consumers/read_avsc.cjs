// The npm package avsc: `node read_avsc.cjs golden exact|unchecked|default`.
// exact reads longs as BigInt, which is what a consumer wants; the other two show what happens without it.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const avsc = require('avsc');

const LONGS = {
  exact: () => avsc.types.LongType.__with({
    fromBuffer: (buffer) => buffer.readBigInt64LE(),
    toBuffer: (value) => { const buffer = Buffer.alloc(8); buffer.writeBigInt64LE(value); return buffer; },
    fromJSON: BigInt,
    toJSON: String,
    isValid: (value) => typeof value === 'bigint',
    compare: (one, other) => Number(one > other) - Number(one < other),
  }),
  unchecked: () => avsc.types.LongType.__with({
    fromBuffer: (buffer) => Number(buffer.readBigInt64LE()),
    toBuffer: (value) => { const buffer = Buffer.alloc(8); buffer.writeBigInt64LE(BigInt(value)); return buffer; },
    fromJSON: Number,
    toJSON: Number,
    isValid: Number.isInteger,
    compare: (one, other) => one - other,
  }),
  default: () => undefined,
};

// JSON.stringify takes no BigInt, so its digits go through as a text and are unquoted afterwards.
function plain(node) {
  if (typeof node === 'bigint') return `#${node}#`;
  if (Buffer.isBuffer(node)) return node.toString('base64');
  if (Array.isArray(node)) return node.map(plain);
  if (node !== null && typeof node === 'object') {
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, plain(value)]));
  }
  return node;
}

const [golden, mode] = process.argv.slice(2);
for (const name of fs.readdirSync(golden).filter((each) => each.endsWith('.json')).sort()) {
  const file = JSON.parse(fs.readFileSync(path.join(golden, name), 'utf8'));
  const long = LONGS[mode]();
  const type = avsc.Type.forSchema(JSON.parse(file.schema), long ? {registry: {long}} : {});
  for (const example of file.examples) {
    const line = {event: file.event, example: example.name};
    try {
      line.value = plain(type.fromBuffer(Buffer.from(example.body, 'base64')));
    } catch (error) {
      line.error = error.message;
    }
    process.stdout.write(`${JSON.stringify(line).replace(/"#(-?\d+)#"/g, '$1')}\n`);
  }
}
