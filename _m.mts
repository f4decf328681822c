import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createSeparationServer } from './services/separation/server.ts';
import { decodeAudio, openAudio } from './audio/decode/decode.ts';
import { encodeMp3 } from './audio/encode/encode-mp3.ts';
const bytes = new Uint8Array(await readFile('examples/neon-drive.mp3'));
const a = await decodeAudio(bytes);
// 180 s: the example repeated
const n = 180 * 44100; const long = a.channels.map(c => Float32Array.from({length: n}, (_, i) => c[i % c.length]!));
const song = await encodeMp3(long, 44100, {});
let put = 0; const store = new Map<string, Buffer>();
const storage = createServer((q, r) => { if (q.method !== 'PUT') return r.end(song); const p: Buffer[] = []; q.on('data', d => p.push(d)); q.on('end', () => { const b = Buffer.concat(p); put += b.length; store.set(q.url!, b); r.end('{}'); }); });
await once(storage.listen(0, '127.0.0.1'), 'listening'); const url = `http://127.0.0.1:${(storage.address() as any).port}`;
const sep = createSeparationServer(); await once(sep.listen(0, '127.0.0.1'), 'listening'); const su = `http://127.0.0.1:${(sep.address() as any).port}`;
const stems = ['vocals','drums','bass','other'];
async function run(parts: boolean) { put = 0; const c = process.cpuUsage(); const t = performance.now();
  const r = await fetch(su + '/separate', { method: 'POST', body: JSON.stringify({ audio_url: url + '/song', job_id: 'j', uploads: Object.fromEntries(stems.map(s => [s, { path: s, url: `${url}/${s}.wav`, ...(parts ? { parts: [1,2,3].map(p => ({ path: `${s}.${p}`, url: `${url}/${s}.${p}.flac` })) } : {}) }])) }) });
  if (!r.ok) throw new Error(await r.text()); await r.json(); const u = process.cpuUsage(c);
  return { wall: (performance.now()-t)/1000, cpu: (u.user+u.system)/1e6, mb: put/1e6 }; }
const all: Record<string, any[]> = { wav: [], flac: [] };
for (let i = 0; i < 4; i++) { all.wav.push(await run(false)); all.flac.push(await run(true)); }
for (const k of ['wav','flac']) console.log(k, 'wall', all[k].map(x => x.wall.toFixed(2)).join(' '), 'cpu', all[k].map(x => x.cpu.toFixed(2)).join(' '), 'MB', all[k][0].mb.toFixed(1));
// decode
for (const k of ['wav', 'flac']) { const times: string[] = []; for (let i = 0; i < 3; i++) { const c = process.cpuUsage(); for (const [name, b] of store) if (name.endsWith(k)) for await (const _ of openAudio(b, {limits:{minSec:0,maxBytes:1e9}}).chunks); const u = process.cpuUsage(c); times.push(((u.user+u.system)/1e6).toFixed(2)); } console.log('decode 4 stems', k, times.join(' ')); }
process.exit(0);
