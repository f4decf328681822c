/** Installs a separation model: terms, download, and its use. */
import { installModel, installRuntime } from '../../services/separation/models/install.ts';
import type { InstallProgress } from '../../services/separation/models/install.ts';
import type { KnownModel, ModelCatalog } from '../../services/separation/models/known.ts';
import { useModel } from '../../services/separation/models/store.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { print } from '../output.ts';
import { chooseDisplay } from '../progress/choose-display.ts';
import { confirm } from '../confirm.ts';
import { megabytes } from './lines.ts';

/** Change of the progress that is told, as a share. */
const PROGRESS_SHARE = 0.1;
const isTerminal = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true;

export interface InstallRequest {
  modelsDir: string;
  /** Undefined for ONNX Runtime alone. */
  model: KnownModel | undefined;
  catalog: ModelCatalog;
  acceptLicense: boolean;
  json: boolean;
}

/**
 * Shows the terms of a model, installs it once they are accepted, and uses it. ONNX Runtime alone needs no acceptance.
 * @throws CliError `licence_not_accepted`; ModelError; the reason of `signal`
 */
export async function installAndUse(request: InstallRequest, signal: AbortSignal): Promise<void> {
  const { modelsDir, model, catalog, json } = request;
  if (model) await acceptTerms(model, request, signal);
  const display = chooseDisplay(json);
  const tell = throttled(
    ({ step, bytes, total }) => display.step(stepText(step, bytes, total)),
    process.stdout.isTTY && !json ? 0 : PROGRESS_SHARE,
  );
  try {
    const options = { signal, runtime: catalog.runtime, onProgress: tell };
    await (model ? installModel(modelsDir, model, options) : installRuntime(modelsDir, options));
  } finally {
    display.end();
  }
  if (model) useModel(modelsDir, model.name);
}

async function acceptTerms(
  model: KnownModel,
  { acceptLicense, json }: InstallRequest,
  signal: AbortSignal,
): Promise<void> {
  const lines = [`${model.title}, ${megabytes(model.bytes)}.`, ...model.terms];
  if (json) process.stderr.write(`${lines.join('\n')}\n`);
  else for (const line of lines) print(line);
  if (acceptLicense) return;
  if (json || !isTerminal())
    throw new CliError(
      'licence_not_accepted',
      `The terms of ${model.name} were not accepted.`,
      'Read them above, and run the command again with --accept-license if you accept them.',
      EXIT_USAGE,
    );
  if (await confirm('Do you accept these terms?', signal)) return;
  throw new CliError(
    'licence_not_accepted',
    `The terms of ${model.name} were not accepted, and nothing was installed.`,
    'Separations use the classical method, which needs no model.',
  );
}

function stepText(step: InstallProgress['step'], bytes: number, total: number): string {
  switch (step) {
    case 'download':
      return `Downloading with npm: ${megabytes(Math.min(bytes, total))} of ${megabytes(total)} unpacked`;
    case 'check':
      return 'Comparing hashes';
    case 'try':
      return 'Opening it once';
  }
}

/** Passes on each new step, and within a step what has grown by a share. */
function throttled(tell: (progress: InstallProgress) => void, share: number): (progress: InstallProgress) => void {
  let last: InstallProgress | undefined;
  return (progress) => {
    const grown = progress.bytes - (last?.bytes ?? 0);
    if (last?.step === progress.step && grown < share * progress.total) return;
    last = progress;
    tell(progress);
  };
}
