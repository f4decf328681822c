/** Analyses or separates a file and prints the increase of memory over that of the loaded program and file. */
import { readFile } from 'node:fs/promises';
import { analyzeStream } from '../../services/analysis/analyze.ts';
import { openAudio } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { separate } from '../../services/separation/separator.ts';

const [, , work, path] = process.argv;
const bytes = new Uint8Array(await readFile(path!));
const base = process.memoryUsage.rss();
const { chunks } = openAudio(bytes);
let samples = 0;
async function* counted(): AsyncGenerator<StereoChunk> {
  for await (const chunk of chunks) {
    samples += chunk[0].length;
    yield chunk;
  }
}
async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  const iterator = stream[Symbol.asyncIterator]();
  while (!(await iterator.next()).done);
}
if (work === 'analysis') await analyzeStream(counted());
else await drain(separate(counted()));
const increaseBytes = process.resourceUsage().maxRSS * 1024 - base;
process.stdout.write(JSON.stringify({ seconds: samples / 44_100, increaseBytes }));
