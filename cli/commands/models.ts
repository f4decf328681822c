/** `mashup models`: lists, installs, chooses and removes separation models. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { untilInterrupted } from '../../local/interrupt.ts';
import { dataPaths } from '../../local/layout.ts';
import { CATALOG, knownModel } from '../../services/separation/models/known.ts';
import type { KnownModel, ModelCatalog } from '../../services/separation/models/known.ts';
import {
  CLASSICAL_NAME,
  isInstalled,
  isRuntimeInstalled,
  removeModel,
  removeRuntime,
  RUNTIME_NAME,
  useModel,
  usedModel,
} from '../../services/separation/models/store.ts';
import type { StackOptions } from '../connect.ts';
import { setting } from '../environment.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { installAndUse } from '../models/install.ts';
import { modelLines } from '../models/lines.ts';
import { listModels } from '../models/list.ts';
import { print, printJson } from '../output.ts';

interface ModelsOptions extends StackOptions {
  json?: boolean;
  acceptLicense?: boolean;
}

/** Adds the command to the program. */
export function addModels(program: Command, catalog: ModelCatalog = CATALOG): void {
  const models = program
    .command('models')
    .description('list, install, choose and remove separation models')
    .option('--json', 'as JSON')
    .action((_options: unknown, command: Command) => list(command.optsWithGlobals<ModelsOptions>(), catalog));
  models
    .command('list')
    .description('list the classical method and the models that can be installed')
    .option('--json', 'as JSON')
    .action((_options: unknown, command: Command) => list(command.optsWithGlobals<ModelsOptions>(), catalog));
  models
    .command('install')
    .description('download a model with npm, after you accept its terms, and use it')
    .argument('<name>', `name of the model, or ${RUNTIME_NAME} for ONNX Runtime alone`)
    .option('--accept-license', 'accept the terms of the model without being asked')
    .option('--json', 'as JSON')
    .action((name: string, _options: unknown, command: Command) =>
      install(name, command.optsWithGlobals<ModelsOptions>(), catalog),
    );
  models
    .command('use')
    .description('choose the method of separations; running services follow')
    .argument('<name>', `name of an installed model, or ${CLASSICAL_NAME}`)
    .option('--json', 'as JSON')
    .action((name: string, _options: unknown, command: Command) =>
      use(name, command.optsWithGlobals<ModelsOptions>(), catalog),
    );
  models
    .command('remove')
    .description('remove a model')
    .argument('<name>', `name of the model, or ${RUNTIME_NAME}`)
    .option('--json', 'as JSON')
    .action((name: string, _options: unknown, command: Command) =>
      remove(name, command.optsWithGlobals<ModelsOptions>(), catalog),
    );
}

const folderOf = ({ dataDir }: ModelsOptions): string => dataPaths(dataDir).models;

function list(options: ModelsOptions, catalog: ModelCatalog): void {
  const folder = folderOf(options);
  const models = listModels(folder, catalog);
  const runtime = isRuntimeInstalled(folder);
  const environment = setting('SEPARATION_MODEL');
  if (options.json === true)
    return printJson({ type: 'models', folder, runtime, separation_model: environment ?? null, models });
  for (const line of modelLines(models)) print(line);
  print(pc.dim(`ONNX Runtime, which runs models: ${runtime ? 'installed' : 'comes with the first model'}`));
  print(pc.dim(`Folder: ${folder}`));
  if (environment !== undefined)
    print(pc.yellow(`SEPARATION_MODEL is ${environment}: services that are started from here use it instead.`));
}

async function install(name: string, options: ModelsOptions, catalog: ModelCatalog): Promise<void> {
  const model = name === RUNTIME_NAME ? undefined : find(name, catalog);
  const modelsDir = folderOf(options);
  const { acceptLicense = false, json = false } = options;
  await untilInterrupted((signal) => installAndUse({ modelsDir, model, catalog, acceptLicense, json }, signal));
  done(
    json,
    'installed',
    name,
    modelsDir,
    model
      ? `${name} is installed, and used from the next separation on.`
      : 'ONNX Runtime is installed. Set SEPARATION_MODEL to an ONNX file of your own.',
  );
}

function use(name: string, options: ModelsOptions, catalog: ModelCatalog): void {
  const folder = folderOf(options);
  if (name !== CLASSICAL_NAME) assertInstalled(find(name, catalog), folder);
  useModel(folder, name);
  done(options.json, 'used', name, folder, `Separations use ${name} from the next one on.`);
}

function remove(name: string, options: ModelsOptions, catalog: ModelCatalog): void {
  if (name === CLASSICAL_NAME)
    throw new CliError('bad_option', 'The classical method cannot be removed.', `Give a model.`, EXIT_USAGE);
  const folder = folderOf(options);
  if (name === RUNTIME_NAME) {
    removeRuntime(folder);
    return done(options.json, 'removed', name, folder, 'ONNX Runtime is removed. Models need it.');
  }
  const model = find(name, catalog);
  assertInstalled(model, folder);
  if (usedModel(folder, catalog.models) === name) useModel(folder, CLASSICAL_NAME);
  removeModel(folder, model, catalog.models);
  done(options.json, 'removed', name, folder, `${name} is removed. Stems that it has separated stay.`);
}

function done(json: boolean | undefined, type: string, name: string, folder: string, text: string): void {
  if (json === true) printJson({ type, name, folder });
  else print(text);
}

/** @throws CliError `unknown_model` */
function find(name: string, { models }: ModelCatalog): KnownModel {
  const model = knownModel(name, models);
  if (model) return model;
  const names = models.map((one) => one.name).join(', ');
  throw new CliError(
    'unknown_model',
    `There is no model ${JSON.stringify(name)}.`,
    `Models that can be installed: ${names}. For an ONNX file of your own: \`mashup models install ${RUNTIME_NAME}\`, and set SEPARATION_MODEL.`,
    EXIT_USAGE,
  );
}

/** @throws CliError `model_not_installed` */
function assertInstalled(model: KnownModel, folder: string): void {
  if (isInstalled(folder, model)) return;
  throw new CliError(
    'model_not_installed',
    `The model ${model.name} is not installed.`,
    `Install it: \`mashup models install ${model.name}\`.`,
  );
}
