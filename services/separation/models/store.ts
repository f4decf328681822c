/**
 * The folder of installed models: `NAME/` with the model and its licence, `runtime/` with ONNX Runtime, and `use.json` with the model that
 * separations use.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { KNOWN_MODELS } from './known.ts';
import type { KnownModel } from './known.ts';

/** Name of the method without a model. */
export const CLASSICAL_NAME = 'classical';

const Use = z.object({ use: z.string() });

/** Folder that holds ONNX Runtime, in its `node_modules`. */
export const runtimeFolder = (modelsDir: string): string => join(modelsDir, 'runtime');

/** Path of the file of a model, whether it is installed or not. */
export const modelPath = (modelsDir: string, { name, file }: KnownModel): string => join(modelsDir, name, file);

/** Whether a model is installed. */
export const isInstalled = (modelsDir: string, model: KnownModel): boolean => existsSync(modelPath(modelsDir, model));

/** Returns the installed models. */
export const installedModels = (modelsDir: string | undefined): KnownModel[] =>
  modelsDir === undefined ? [] : KNOWN_MODELS.filter((model) => isInstalled(modelsDir, model));

/** Whether ONNX Runtime is installed. */
export const isRuntimeInstalled = (modelsDir: string): boolean =>
  existsSync(join(runtimeFolder(modelsDir), 'node_modules', 'onnxruntime-node', 'package.json'));

/** Returns the name of the method that separations use: that of an installed model, or `classical`. */
export function usedModel(modelsDir: string): string {
  let chosen: string | undefined;
  try {
    chosen = Use.safeParse(JSON.parse(readFileSync(join(modelsDir, 'use.json'), 'utf8'))).data?.use;
  } catch {
    // Nothing was chosen yet, or the file is damaged: a model that is installed is not used unasked.
  }
  const model = KNOWN_MODELS.find(({ name }) => name === chosen);
  return model && isInstalled(modelsDir, model) ? model.name : CLASSICAL_NAME;
}

/** Chooses the method of separations. Running services follow with their next separation. */
export function useModel(modelsDir: string, name: string): void {
  const file = join(modelsDir, 'use.json');
  const written = `${file}.${process.pid}`;
  writeFileSync(written, `${JSON.stringify({ use: name })}\n`);
  renameSync(written, file);
}

/** Removes a model; ONNX Runtime as well if no other model is installed. */
export function removeModel(modelsDir: string, model: KnownModel): void {
  rmSync(join(modelsDir, model.name), { recursive: true, force: true });
  if (!KNOWN_MODELS.some((other) => isInstalled(modelsDir, other)))
    rmSync(runtimeFolder(modelsDir), { recursive: true, force: true });
}
