/** Checks the separator: what the service uses, and the models that are installed on this machine. */
import { stat } from 'node:fs/promises';
import { chooseModel } from '../../services/separation/models/choose.ts';
import type { ChosenModel } from '../../services/separation/models/choose.ts';
import { hashFile } from '../../services/separation/models/hash-file.ts';
import type { KnownModel } from '../../services/separation/models/known.ts';
import {
  CLASSICAL_NAME,
  chosenName,
  installedModels,
  isUseDamaged,
  modelPath,
} from '../../services/separation/models/store.ts';
import { checkGraph } from '../../services/separation/neural/check-graph.ts';
import { ModelError } from '../../services/separation/neural/errors.ts';
import { assertMemory } from '../../services/separation/neural/memory.ts';
import { readSeparationSettings } from '../../services/separation/settings.ts';
import type { SeparationSettings } from '../../services/separation/settings.ts';
import { fetchModels, separatorText } from '../separation-service.ts';
import { failed, passed } from './finding.ts';
import type { Finding } from './finding.ts';

const SERVICE = 'separator';
const INSTALLED = 'separation model';
const SAMPLE_RATE = 44_100;

/** Returns which separator the service uses. Services of others, which do not tell it, have no finding. */
export async function checkSeparator(url: string): Promise<Finding[]> {
  const models = await fetchModels(url);
  if (models === undefined) return [];
  const { fault } = models;
  if (fault) return [failed(SERVICE, `${fault.message} ${models.used} is used instead`, fault.hint)];
  return [passed(SERVICE, separatorText(models))];
}

export interface ModelCheckOptions {
  /** Compares the hash of the file as well. */
  deep: boolean;
  /** Default: what this machine has. */
  availableBytes?: number;
}

/**
 * Checks the models in a folder, and that of SEPARATION_MODEL: their files, the runtime, and the memory. Without a model there is nothing to
 * check.
 * @throws Error that names an invalid setting
 */
export async function checkModels(
  modelsDir: string,
  environment: NodeJS.ProcessEnv,
  options: ModelCheckOptions,
): Promise<Finding[]> {
  const settings = readSeparationSettings({ ...environment, MODELS_DIR: modelsDir });
  const findings: Finding[] = isUseDamaged(modelsDir) ? [useDamaged()] : [];
  const name = settings.model ?? chosenName(modelsDir) ?? CLASSICAL_NAME;
  const installed = installedModels(modelsDir);
  if (name !== CLASSICAL_NAME && !installed.some((model) => model.name === name))
    findings.push(await checkOther(name, settings, options));
  for (const model of installed) findings.push(await checkInstalled(model, settings, options, model.name === name));
  return findings;
}

const useDamaged = (): Finding =>
  failed(
    INSTALLED,
    'the file that names the used model is damaged: the classical method is used',
    'Choose one again: `mashup models use NAME`.',
  );

/** Checks a model that is chosen and not in the folder of models. */
async function checkOther(
  name: string,
  settings: SeparationSettings,
  { availableBytes }: ModelCheckOptions,
): Promise<Finding> {
  return guarded(async () => {
    const chosen = await chooseModel({ ...settings, model: name }, 'auto');
    if (chosen === undefined) return passed(INSTALLED, 'none');
    const opened = await open(chosen, settings, availableBytes);
    return passed(INSTALLED, `${chosen.model} is used: ${opened}`);
  });
}

async function checkInstalled(
  model: KnownModel,
  settings: SeparationSettings,
  { deep, availableBytes }: ModelCheckOptions,
  isUsed: boolean,
): Promise<Finding> {
  return guarded(async () => {
    const path = modelPath(settings.modelsDir!, model);
    const again = `Install it again: \`mashup models install ${model.name}\`.`;
    const { size } = await stat(path);
    if (size !== model.bytes)
      return failed(INSTALLED, `the file of ${model.name} has ${size} bytes instead of ${model.bytes}`, again);
    if (deep && (await hashFile(path)) !== model.sha256)
      return failed(INSTALLED, `the file of ${model.name} has another hash than the one that was published`, again);
    const chosen = await chooseModel({ ...settings, model: model.name }, 'auto');
    const opened = await open(chosen!, settings, availableBytes);
    const file = deep ? 'its file has the published hash' : 'its file has the right size (--deep compares the hash)';
    return passed(INSTALLED, `${model.name} is ${isUsed ? 'used' : 'installed, not used'}: ${file}, ${opened}`);
  });
}

/** Opens a model. @returns what was found, in a few words. @throws ModelError */
async function open(chosen: ChosenModel, { provider }: SeparationSettings, availableBytes?: number): Promise<string> {
  const samples = await checkGraph(chosen, { provider });
  assertMemory(availableBytes);
  return `ONNX Runtime opens it with ${provider} (segments of ${((samples ?? 0) / SAMPLE_RATE).toFixed(1)} s), the memory suffices`;
}

/** Turns the error of a model into a finding. */
async function guarded(check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return failed(INSTALLED, error.message.replace(/\.$/, ''), error.hint);
  }
}
