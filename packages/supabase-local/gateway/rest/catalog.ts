/**
 * What the REST calls may name. Every identifier of a request is looked up here before it gets, quoted, into a
 * statement. Read once, and again on NOTIFY pgrst and when something is not found.
 */
import { readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import { z } from 'zod';

/** The one schema that the API exposes. */
export const EXPOSED_SCHEMA = 'public';

/** `type` is the column's type with its modifier, `base` without. */
const Column = z.object({ name: z.string(), type: z.string(), base: z.string() });
const Relation = z.object({ name: z.string(), columns: z.array(Column).nullable() });
const ApiFunction = z.object({
  name: z.string(),
  arguments: z.array(z.object({ name: z.string(), type: z.string(), optional: z.boolean() })),
  set: z.boolean(),
  result: z.enum(['void', 'row', 'scalar']),
  columns: z.array(Column),
});
const Contents = z.object({ relations: z.array(Relation), functions: z.array(ApiFunction) });

type Column = z.infer<typeof Column>;
export type ApiFunction = z.infer<typeof ApiFunction>;

/** A table, a view or the result of a function: what columns can be named on it. */
export interface Shape {
  name: string;
  columns: Map<string, Column>;
}

/** Looks names up; each looks twice, with a fresh reading in between, before it says no. */
export interface Catalog {
  relation(name: string, columns?: readonly string[]): Promise<Shape | undefined>;
  functions(name: string, names: readonly string[]): Promise<ApiFunction[]>;
  forget(): void;
}

interface Loaded {
  relations: Map<string, Shape>;
  functions: Map<string, ApiFunction[]>;
}

/** The columns by name. */
export function shapeOf(name: string, columns: Column[]): Shape {
  return { name, columns: new Map(columns.map((column) => [column.name, column])) };
}

async function load(sql: Sql, query: string): Promise<Loaded> {
  const [row] = await sql.unsafe<{ catalog: string }[]>(query, [EXPOSED_SCHEMA]);
  const contents = Contents.parse(JSON.parse(row?.catalog ?? '{"relations":[],"functions":[]}'));
  const relations = contents.relations.map(({ name, columns }) => [name, shapeOf(name, columns ?? [])] as const);
  return {
    relations: new Map(relations),
    functions: Map.groupBy(contents.functions, (called) => called.name),
  };
}

/** Whether the names given are arguments of the function and none that it needs is missing. */
function accepts(called: ApiFunction, names: readonly string[]): boolean {
  const known = new Set(called.arguments.map((argument) => argument.name));
  return (
    names.every((name) => known.has(name)) &&
    called.arguments.every((argument) => argument.optional || names.includes(argument.name))
  );
}

/** Opens the catalog of the exposed schema; nothing is read before the first question. */
export async function openCatalog(sql: Sql): Promise<Catalog> {
  const query = await readFile(new URL('catalog.sql', import.meta.url), 'utf8');
  let loaded: Promise<Loaded> | undefined;

  function current(): Promise<Loaded> {
    if (!loaded) {
      const loading = load(sql, query);
      loaded = loading;
      loading.catch(() => {
        if (loaded === loading) loaded = undefined;
      });
    }
    return loaded;
  }

  async function ask<T>(question: (catalog: Loaded) => T, answered: (answer: T) => boolean): Promise<T> {
    const first = current();
    const answer = question(await first);
    if (answered(answer)) return answer;
    if (loaded === first) loaded = undefined;
    return question(await current());
  }

  return {
    relation: (name, columns = []) =>
      ask(
        (catalog) => catalog.relations.get(name),
        (shape) => shape !== undefined && columns.every((column) => shape.columns.has(column)),
      ),
    functions: (name, names) =>
      ask(
        (catalog) => (catalog.functions.get(name) ?? []).filter((called) => accepts(called, names)),
        (found) => found.length > 0,
      ),
    forget() {
      loaded = undefined;
    },
  };
}
