/** Statements that are put together: identifiers from the catalog, quoted, and values only ever as parameters. */

/** Quotes a name for SQL. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Parameters of a statement in the making. */
export class Parameters {
  readonly values: string[] = [];

  /** Adds a value as text and returns its place, cast to `type` where one is given. A type comes from the catalog. */
  bind(value: string, type?: string): string {
    this.values.push(value);
    const place = `$${this.values.length}::text`;
    return type === undefined ? place : `(${place})::${type}`;
  }
}
