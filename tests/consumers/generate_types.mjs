// TypeScript's types of the records (avro-ts), and golden values that must be of them.
import fs from 'node:fs';
import { toTypeScript } from '@ovotech/avro-ts';

const [schema, golden, into] = process.argv.slice(2);
const records = JSON.parse(fs.readFileSync(schema, 'utf8'));
fs.writeFileSync(`${into}/live.ts`, toTypeScript(records));
const byName = new Map(records.map((record) => [record.name, record]));

// A value as a literal of TypeScript: golden files have bytes in base64, and avro-ts takes times as numbers.
function literal(type, value) {
  if (value === null) return 'null';
  if (Array.isArray(type)) return literal(type.find((branch) => branch !== 'null'), value);
  if (type === 'bytes') return `Buffer.from(${JSON.stringify(value)}, "base64")`;
  if (type.type === 'array') return `[${value.map((each) => literal(type.items, each)).join(', ')}]`;
  const record = byName.get(type);
  if (record === undefined) return JSON.stringify(value);
  return `{${record.fields.map((field) => `${field.name}: ${literal(field.type, value[field.name])}`).join(', ')}}`;
}

const lines = ['import { TiktokLiveV1 } from "./live.js";'];
for (const name of fs.readdirSync(golden).filter((each) => each.endsWith('.json')).sort()) {
  const file = JSON.parse(fs.readFileSync(`${golden}/${name}`, 'utf8'));
  const record = file.record.split('.').at(-1);
  for (const { name: example, value } of file.examples) {
    lines.push(`export const ${file.event}_${example}: TiktokLiveV1.${record} = ${literal(record, value)};`);
  }
}
fs.writeFileSync(`${into}/golden.ts`, lines.join('\n') + '\n');
console.log(lines.length - 1);
