/** Lists separation models. */
import type { ModelCatalog } from '../../services/separation/models/known.ts';
import { CLASSICAL_NAME, isInstalled, usedModel } from '../../services/separation/models/store.ts';
import type { ListedModel } from './lines.ts';

/** Returns the classical method and the models that can be installed, with their state in a folder of models. */
export function listModels(modelsDir: string, { models }: ModelCatalog): ListedModel[] {
  const used = usedModel(modelsDir, models);
  const classical = {
    name: CLASSICAL_NAME,
    title: 'masks from repetition, harmony and place; needs no model',
    licence: 'MIT',
    bytes: 0,
    installed: true,
    used: used === CLASSICAL_NAME,
  };
  return [
    classical,
    ...models.map((model) => {
      const { name, title, licence, bytes } = model;
      return { name, title, licence, bytes, installed: isInstalled(modelsDir, model), used: used === name };
    }),
  ];
}
