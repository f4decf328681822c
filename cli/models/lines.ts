/** Texts about separation models. */
import pc from 'picocolors';
import { CLASSICAL_NAME } from '../../services/separation/models/store.ts';
import { table } from '../output.ts';

/** A method of separation: the classical one, or a model that can be installed. */
export interface ListedModel {
  name: string;
  title: string;
  /** The licence in a few words. */
  licence: string;
  /** Size of the model in bytes; 0 for the classical method. */
  bytes: number;
  installed: boolean;
  used: boolean;
}

/** Formats a size: `174 MB`. */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

function stateOf({ used, installed, name }: ListedModel): string {
  if (used) return pc.green('used');
  if (name === CLASSICAL_NAME) return 'built in';
  return installed ? 'installed' : 'not installed';
}

/** Returns a table of models. */
export function modelLines(models: readonly ListedModel[]): string[] {
  return table([
    ['name', 'state', 'size', 'licence', ''].map((cell) => pc.dim(cell)),
    ...models.map((model) => [
      model.name,
      stateOf(model),
      model.bytes === 0 ? '-' : megabytes(model.bytes),
      model.licence,
      pc.dim(model.title),
    ]),
  ]);
}
