/**
 * The tables, views and functions of the exposed schema. Every identifier of a request is looked up here before it is quoted
 * into a statement. The catalog is read once, and again after NOTIFY pgrst and when a name is not found.
 */
import { readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import { z } from 'zod';

/** The schema that the API exposes. */
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
/** A function of the exposed schema. */
export type ApiFunction = z.infer<typeof ApiFunction>;

/** A table, a view or the result of a function, with its columns. */
export interface Shape {
  name: string;
  columns: Map<string, Column>;
}

/** Looks names up. A name that is not found is looked up again in a catalog that is read anew. */
export interface Catalog {
  /** Returns the relation; undefined if it does not exist. Reads the catalog anew if one of the columns is unknown. */
  relation(name: string, columns?: readonly string[]): Promise<Shape | undefined>;
  /** Returns the functions of that name that accept exactly these argument names. */
  functions(name: string, names: readonly string[]): Promise<ApiFunction[]>;
  /** Reads the catalog anew at the next lookup. */
  invalidate(): void;
}

interface Loaded {
  relations: Map<string, Shape>;
  functions: Map<string, ApiFunction[]>;
}

/** Creates a shape from a list of columns. */
export function shapeOf(name: string, columns: Column[]): Shape {
  return { name, columns: new Map(columns.map((column) => [column.name, column])) };
}

async function load(sql: Sql, query: string): Promise<Loaded> {
  const [row] = await sql.unsafe<{ catalog: string }[]>(query, [EXPOSED_SCHEMA]);
  const contents = Contents.parse(JSON.parse(row?.catalog ?? '{"relations":[],"functions":[]}'));
  const relations = contents.relations.map(({ name, columns }) => [name, shapeOf(name, columns ?? [])] as const);
  return {
    relations: new Map(relations),
    functions: Map.groupBy(contents.functions, (callee) => callee.name),
  };
}

/** Tests whether the names are arguments of the function and no required argument is missing. */
function accepts(callee: ApiFunction, names: readonly string[]): boolean {
  const known = new Set(callee.arguments.map((argument) => argument.name));
  return (
    names.every((name) => known.has(name)) &&
    callee.arguments.every((argument) => argument.optional || names.includes(argument.name))
  );
}

/** Opens the catalog of the exposed schema. It is read at the first lookup. */
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

  async function lookUp<T>(find: (catalog: Loaded) => T, isFound: (result: T) => boolean): Promise<T> {
    const first = current();
    const result = find(await first);
    if (isFound(result)) return result;
    if (loaded === first) loaded = undefined;
    return find(await current());
  }

  return {
    relation: (name, columns = []) =>
      lookUp(
        (catalog) => catalog.relations.get(name),
        (shape) => shape !== undefined && columns.every((column) => shape.columns.has(column)),
      ),
    functions: (name, names) =>
      lookUp(
        (catalog) => (catalog.functions.get(name) ?? []).filter((callee) => accepts(callee, names)),
        (found) => found.length > 0,
      ),
    invalidate() {
      loaded = undefined;
    },
  };
}
