/** Which model a separation uses. */
import { existsSync, statSync } from 'node:fs';
import { basename, isAbsolute, resolve } from 'node:path';
import type { SeparationModels } from '../../../schema.ts';
import { CLASSICAL } from '../classical.ts';
import { ModelError } from '../neural/errors.ts';
import type { SeparationSettings } from '../settings.ts';
import { hashFile } from './hash-file.ts';
import { KNOWN_MODELS, knownModel } from './known.ts';
import type { KnownModel } from './known.ts';
import { CLASSICAL_NAME, installedModels, isInstalled, modelPath, runtimeFolder, usedModel } from './store.ts';

/** A model that is ready to be opened. */
export interface ChosenModel {
  /** Name that is stored with the stems: that of the model, and the start of its hash. */
  model: string;
  path: string;
  /** Folder in whose `node_modules` ONNX Runtime is. */
  runtimeFolder: string;
}

type ModelSettings = Pick<SeparationSettings, 'model' | 'modelsDir'>;

/** Characters of a hash that tell models of one name apart. */
const HASH_LENGTH = 8;

/**
 * Returns the model that separations use; undefined for the classical method. SEPARATION_MODEL decides, otherwise what `models use` chose. A
 * separation that asks for a model gets an installed one where the classical method was chosen.
 * @throws ModelError `model_missing` if it is not there, `model_broken` if its file cannot be read
 */
export async function chooseModel(
  { model, modelsDir }: ModelSettings,
  method: 'auto' | 'neural',
): Promise<ChosenModel | undefined> {
  const name = model ?? (modelsDir === undefined ? CLASSICAL_NAME : usedModel(modelsDir));
  if (name === CLASSICAL_NAME) {
    const installed = model === undefined && method === 'neural' ? installedModels(modelsDir)[0] : undefined;
    return installed && chooseKnown(installed, modelsDir);
  }
  const known = knownModel(name);
  if (known) return chooseKnown(known, modelsDir);
  if (!name.endsWith('.onnx') || !existsSync(name))
    throw new ModelError('model_missing', 'SEPARATION_MODEL names no model: there is no such file.', {
      hint: `Set it to \`classical\`, to ${KNOWN_MODELS.map((one) => `\`${one.name}\``).join(', ')}, or to the path of an ONNX file.`,
    });
  const path = isAbsolute(name) ? name : resolve(name);
  const title = basename(path, '.onnx')
    .replaceAll(/[^\w.-]/g, '_')
    .slice(0, 60);
  return { model: `${title}-${await hashOf(path)}`, path, runtimeFolder: runtimeFolder(modelsDir ?? '.') };
}

/** Returns the models of separations, as `GET /health` tells them. A model that is not there is a fault, and no error. */
export async function separationModels(settings: ModelSettings): Promise<SeparationModels> {
  const { model: classical } = CLASSICAL;
  try {
    const used = await chooseModel(settings, 'auto');
    const neural = used ?? (await chooseModel(settings, 'neural'));
    return { classical, neural: neural?.model ?? null, used: used?.model ?? classical };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const { code, message, hint } = error;
    return { classical, neural: null, used: classical, fault: { code, message, hint } };
  }
}

function chooseKnown(known: KnownModel, modelsDir: string | undefined): ChosenModel {
  if (modelsDir === undefined || !isInstalled(modelsDir, known))
    throw new ModelError('model_missing', `The model ${known.name} is not installed.`, {
      hint: `Run \`npx mashup models install ${known.name}\`, and set MODELS_DIR for services that are started by hand.`,
    });
  return {
    model: `${known.name}-${known.sha256.slice(0, HASH_LENGTH)}`,
    path: modelPath(modelsDir, known),
    runtimeFolder: runtimeFolder(modelsDir),
  };
}

/** Hashes of files that were read, by path, size and time of change. */
const hashes = new Map<string, string>();

/** @throws ModelError `model_broken` if the file cannot be read: it is a folder, or belongs to another user */
async function hashOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = statSync(path);
    const key = `${path}:${size}:${mtimeMs}`;
    let hash = hashes.get(key);
    if (hash === undefined) hashes.set(key, (hash = (await hashFile(path)).slice(0, HASH_LENGTH)));
    return hash;
  } catch (cause) {
    throw new ModelError('model_broken', 'The file that SEPARATION_MODEL names cannot be read.', {
      hint: 'Set it to the path of an ONNX file that the separation service may read.',
      cause,
    });
  }
}
