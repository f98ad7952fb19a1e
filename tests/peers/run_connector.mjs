// tiktok-live-connector in a room, until its live ends: `node run_connector.mjs URL STREAMER` with SIGN_API_URL, in the
// folder that has its packages.
import dns from 'node:dns';
import { createRequire } from 'node:module';

dns.lookup = (name, options, done) => (done ?? options)(new Error(`${name} is not on this machine`));
const require = createRequire(`${process.cwd()}/`);
const { TikTokLiveConnection } = await import(require.resolve('tiktok-live-connector'));

const KINDS = {
  chat: 'comment',
  like: 'like',
  member: 'join',
  gift: 'gift',
  follow: 'social',
  share: 'social',
  social: 'social',
  roomUser: 'viewer_count_update',
  questionNew: 'question',
  controlMessage: 'control',
  streamEnd: 'end',
};
const [url, streamer] = process.argv.slice(2);
// It speaks TLS to 127.0.0.1 and plain HTTP to whatever it does not take for this machine.
const host = `[::ffff:127.0.0.1]:${new URL(url).port}`;
const connection = new TikTokLiveConnection(streamer, {
  enableExtendedGiftInfo: true,
  webConfigOverrides: { TIKTOK_HOST_WEB: host, TIKTOK_HOST_WEBCAST: host, TIKTOK_HTTP_ORIGIN: url },
});
const say = (said) => console.log(JSON.stringify(said));

for (const [event, kind] of Object.entries(KINDS)) {
  connection.on(event, (data) => say({ kind, message_id: kind === 'end' ? null : data.common.msgId }));
}
const { availableGifts } = await connection.connect();
for (const gift of availableGifts) say({ kind: 'listed', message_id: String(gift.id) });
