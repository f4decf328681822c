/** A registry of npm with a few small packages, and a catalogue of models that names them. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { KnownModel, ModelCatalog, PinnedPackage } from '../../services/separation/models/known.ts';
import type { CleanUpScope } from '../support/postgres.ts';

const BLOCK = 512;

/** Returns a tar archive. A header that is left out is zero. */
function tar(files: Record<string, string>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const body = Buffer.from(content);
    const header = Buffer.alloc(BLOCK);
    header.write(`package/${name}`);
    header.write('0000644\0', 100);
    header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('0', 156);
    header.write('ustar\0' + '00', 257);
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

interface Package {
  pinned: PinnedPackage;
  manifest: Record<string, unknown>;
  archive: Buffer;
}

function pack(name: string, files: Record<string, string>): Package {
  const manifest = { name, version: '1.0.0', scripts: { postinstall: 'exit 1' } };
  const archive = gzipSync(tar({ 'package.json': JSON.stringify(manifest), ...files }));
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const unpackedBytes = Object.values(files).reduce((sum, text) => sum + text.length, 0);
  return { pinned: { name, version: '1.0.0', integrity, unpackedBytes }, manifest, archive };
}

/** Stands for ONNX Runtime: it opens files that begin with `graph`. */
export const RUNTIME_CODE = `
const { openSync, readSync } = require('node:fs');
exports.Tensor = class {};
exports.listSupportedBackends = () => [{ name: 'cpu', bundled: true }];
exports.InferenceSession = {
  async create(path) {
    const start = Buffer.alloc(5);
    readSync(openSync(path), start);
    if (start.toString() !== 'graph') throw new Error('no graph');
    const value = (name, shape) => ({ name, isTensor: true, type: 'float32', shape });
    return {
      inputMetadata: [value('mix', [1, 2, 44100])],
      outputMetadata: [value('stems', [1, 4, 2, 44100])],
      release: async () => {},
    };
  },
};`;
const SYSTEM = `${process.platform} ${process.arch}`;
const OTHER_SYSTEM = process.platform === 'darwin' ? 'linux' : 'darwin';

const RUNTIME = pack('onnxruntime-node', {
  'index.js': RUNTIME_CODE,
  [`bin/napi-v6/${process.platform}/${process.arch}/binding.node`]: 'built for this machine',
  [`bin/napi-v6/${OTHER_SYSTEM}/x64/binding.node`]: 'built for another machine',
});
const MODEL_TEXT = 'graph of a small model';
const MODEL = pack('small-demucs', { 'small.onnx': MODEL_TEXT, 'LICENSE.md': 'For tests only.' });
const BROKEN = pack('broken-demucs', { 'small.onnx': 'no model at all', 'LICENSE.md': 'For tests only.' });

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A model that can be installed from the registry. */
export const SMALL: KnownModel = {
  name: 'small',
  title: 'A small model',
  source: MODEL.pinned,
  file: 'small.onnx',
  licenceFile: 'LICENSE.md',
  bytes: MODEL_TEXT.length,
  sha256: hashOf(MODEL_TEXT),
  licence: 'for tests',
  terms: ['Its terms allow tests only.'],
};

/** A model whose file is no graph, although its hash is right. */
export const NO_GRAPH: KnownModel = {
  ...SMALL,
  name: 'no-graph',
  source: BROKEN.pinned,
  sha256: hashOf('no model at all'),
};

export const TEST_CATALOG: ModelCatalog = {
  models: [SMALL, NO_GRAPH],
  runtime: { packages: [RUNTIME.pinned], builds: [SYSTEM] },
};

export interface Registry {
  url: string;
  /** Archives are answered, or begun and held, from now on. */
  hold(isHeld: boolean): void;
  /** Resolves when an archive is held. */
  held: Promise<void>;
}

/** Starts the registry. */
export async function startRegistry(scope: CleanUpScope): Promise<Registry> {
  const packages = [RUNTIME, MODEL, BROKEN];
  const begun = Promise.withResolvers<void>();
  let isHeld = false;
  const sendArchive = (response: ServerResponse, { archive }: Package): void => {
    if (!isHeld) return void response.end(archive);
    response.writeHead(200, { 'content-length': archive.length });
    response.write(archive.subarray(0, archive.length / 2));
    begun.resolve();
  };
  const server = createServer(({ url = '' }, response) => {
    const name = url.slice(1).replace('.tgz', '');
    const found = packages.find(({ pinned }) => pinned.name === name);
    if (!found) return void response.writeHead(404).end('{}');
    if (url.endsWith('.tgz')) return sendArchive(response, found);
    const dist = { tarball: `${registry.url}/${name}.tgz`, integrity: found.pinned.integrity };
    const versions = { '1.0.0': { ...found.manifest, dist } };
    response.setHeader('content-type', 'application/json');
    return void response.end(JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(async () => {
    server.closeAllConnections();
    server.close();
  });
  const registry: Registry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: (held) => (isHeld = held),
    held: begun.promise,
  };
  return registry;
}
