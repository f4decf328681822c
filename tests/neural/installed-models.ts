/** The model and the runtime that the tests of this folder use. They are installed by the project's own installation. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { installModel } from '../../services/separation/models/install.ts';
import { KNOWN_MODELS } from '../../services/separation/models/known.ts';
import { isInstalled } from '../../services/separation/models/store.ts';

/** Variable with the folder of the models. A folder that is set beforehand is kept, so that the next run downloads nothing. */
const FOLDER_VARIABLE = 'MASHUP_TEST_MODELS';

/** The model of the tests. */
export const MODEL = KNOWN_MODELS[0]!;

/** Folder of the models. @throws Error outside of `npm run test:neural` */
export function modelsFolder(): string {
  const folder = process.env[FOLDER_VARIABLE];
  if (!folder) throw new Error('These tests need a model: run them with npm run test:neural.');
  return folder;
}

/** Installs what the tests need, unless it is there, and tells the processes of tests where. Returns what removes it again. */
export async function installForTests(): Promise<() => Promise<void>> {
  const kept = process.env[FOLDER_VARIABLE];
  const folder = kept ? resolve(kept) : await mkdtemp(join(tmpdir(), 'mashup-test-models-'));
  process.env[FOLDER_VARIABLE] = folder;
  const remove = async (): Promise<void> => {
    if (!kept) await rm(folder, { recursive: true, force: true });
  };
  if (isInstalled(folder, MODEL)) return remove;
  console.log(`Installing ${MODEL.name} (about 500 MB, unpacked). Set ${FOLDER_VARIABLE} to keep it for the next run.`);
  try {
    await installModel(folder, MODEL);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}
