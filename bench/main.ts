/**
 * npm run bench [-- pipeline | builds | million | realtime | recovery | audio | kernels | hard-material | render | first-sound | separation …]: runs the benchmarks and prints
 * tables; `--json FILE` also writes the numbers, `--against FOLDER` measures the kernels or renders of another checkout as well, `--multitracks
 * FOLDER` separates the songs of a folder as well.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAudio } from './audio.ts';
import { benchBuilds } from './builds.ts';
import { benchFirstSound } from './first-sound.ts';
import { benchHardMaterial } from './hard-material.ts';
import { benchKernels } from './kernels.ts';
import { benchMillion } from './million.ts';
import { benchPipeline } from './pipeline.ts';
import { benchRealtime } from './realtime.ts';
import { benchRecovery } from './recovery.ts';
import { benchRender } from './render.ts';
import { benchSeparation } from './separation.ts';

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, against: { type: 'string' }, multitracks: { type: 'string' } },
  allowPositionals: true,
});

const BENCHES: Record<string, () => Promise<unknown>> = {
  pipeline: benchPipeline,
  builds: benchBuilds,
  million: benchMillion,
  realtime: benchRealtime,
  recovery: benchRecovery,
  audio: benchAudio,
  kernels: () => benchKernels(values.against),
  'hard-material': benchHardMaterial,
  render: () => benchRender(values.against),
  'first-sound': benchFirstSound,
  separation: () => benchSeparation(values.multitracks),
};

/** These run only by name: they download a model. */
const BY_NAME = ['separation'];

const unknown = positionals.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no benchmark "${unknown[0]}". The benchmarks are ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(1);
}
const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, date: new Date().toISOString() };
const results: Record<string, unknown> = {};
for (const [name, bench] of Object.entries(BENCHES)) {
  const isWanted = positionals.length === 0 ? !BY_NAME.includes(name) : positionals.includes(name);
  if (isWanted) results[name] = await bench();
}
console.log(`\n${JSON.stringify({ machine, ...results })}`);
if (values.json) await writeFile(values.json, `${JSON.stringify({ machine, ...results }, null, 2)}\n`);
