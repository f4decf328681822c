/** Parts of statements: identifiers come from the catalog and are quoted, values are always parameters. */

/** Quotes an identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Collects the parameters of a statement. */
export class Parameters {
  readonly values: string[] = [];

  /** Adds a value as text and returns its placeholder, cast to `type` if one is given. Types come from the catalog. */
  bind(value: string, type?: string): string {
    this.values.push(value);
    const placeholder = `$${this.values.length}::text`;
    return type === undefined ? placeholder : `(${placeholder})::${type}`;
  }
}
