/**
 * The folder of installed models: `NAME/` with the model and its licence, `runtime/` with ONNX Runtime, and `use.json` with the model that
 * separations use.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { KNOWN_MODELS } from './known.ts';
import type { KnownModel } from './known.ts';

/** Name of ONNX Runtime where it is installed or removed alone. */
export const RUNTIME_NAME = 'runtime';

/** Name of the method without a model. */
export const CLASSICAL_NAME = 'classical';

const Use = z.object({ use: z.string() });

/** Folder that holds ONNX Runtime, in its `node_modules`. */
export const runtimeFolder = (modelsDir: string): string => join(modelsDir, RUNTIME_NAME);

/** Path of the file of a model, whether it is installed or not. */
export const modelPath = (modelsDir: string, { name, file }: KnownModel): string => join(modelsDir, name, file);

/** Whether a model is installed. */
export const isInstalled = (modelsDir: string, model: KnownModel): boolean => existsSync(modelPath(modelsDir, model));

/** Returns the installed models. */
export const installedModels = (modelsDir: string | undefined, models = KNOWN_MODELS): KnownModel[] =>
  modelsDir === undefined ? [] : models.filter((model) => isInstalled(modelsDir, model));

const useFile = (modelsDir: string): string => join(modelsDir, 'use.json');

/** Whether a model was chosen, but its name cannot be read. */
export const isUseDamaged = (modelsDir: string): boolean =>
  existsSync(useFile(modelsDir)) && chosenName(modelsDir) === undefined;

/** Whether ONNX Runtime is installed. */
export const isRuntimeInstalled = (modelsDir: string): boolean =>
  existsSync(join(runtimeFolder(modelsDir), 'node_modules', 'onnxruntime-node', 'package.json'));

/** Returns the name that was chosen with `models use`, whether it is installed or not; undefined if nothing was chosen. */
export function chosenName(modelsDir: string): string | undefined {
  try {
    return Use.safeParse(JSON.parse(readFileSync(useFile(modelsDir), 'utf8'))).data?.use;
  } catch {
    // Nothing was chosen yet, or the file is damaged: a model that is installed is not used unasked.
    return undefined;
  }
}

/** Returns the name of the method that separations use: that of an installed model, or `classical`. */
export function usedModel(modelsDir: string, models = KNOWN_MODELS): string {
  const chosen = chosenName(modelsDir);
  return installedModels(modelsDir, models).find(({ name }) => name === chosen)?.name ?? CLASSICAL_NAME;
}

/** Chooses the method of separations. Running services follow with their next separation. */
export function useModel(modelsDir: string, name: string): void {
  mkdirSync(modelsDir, { recursive: true });
  const file = useFile(modelsDir);
  const written = `${file}.${process.pid}`;
  writeFileSync(written, `${JSON.stringify({ use: name })}\n`);
  renameSync(written, file);
}

/** Removes a model; ONNX Runtime as well if no other model is installed. */
export function removeModel(modelsDir: string, model: KnownModel, models = KNOWN_MODELS): void {
  rmSync(join(modelsDir, model.name), { recursive: true, force: true });
  if (installedModels(modelsDir, models).length === 0) removeRuntime(modelsDir);
}

/** Removes ONNX Runtime. */
export function removeRuntime(modelsDir: string): void {
  rmSync(runtimeFolder(modelsDir), { recursive: true, force: true });
}
