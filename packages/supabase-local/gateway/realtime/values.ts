/** Converts values of the replication stream, which are texts, to JSON as `to_jsonb` does. */

/** A type of pg_type: `name` is e.g. `int8`, `timestamptz` or `_text`. `element` is the element type of an array. */
export interface TypeName {
  name: string;
  element: string | undefined;
}

const NUMBERS = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid']);

/** Parses an array literal (`{a,"b c",{d}}`) into texts, nulls and nested arrays. */
function parseArray(text: string): unknown[] {
  let offset = text.indexOf('{');
  function list(): unknown[] {
    const items: unknown[] = [];
    offset += 1;
    while (offset < text.length && text[offset] !== '}') {
      if (text[offset] === ',') offset += 1;
      else if (text[offset] === '{') items.push(list());
      else items.push(text[offset] === '"' ? quoted() : plain());
    }
    offset += 1;
    return items;
  }
  function quoted(): string {
    let value = '';
    for (offset += 1; offset < text.length && text[offset] !== '"'; offset += 1) {
      if (text[offset] === '\\') offset += 1;
      value += text[offset] ?? '';
    }
    offset += 1;
    return value;
  }
  function plain(): string | null {
    const start = offset;
    while (offset < text.length && text[offset] !== ',' && text[offset] !== '}') offset += 1;
    const value = text.slice(start, offset);
    return value === 'NULL' ? null : value;
  }
  return offset < 0 ? [] : list();
}

function isoTime(text: string): string {
  return text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
}

function scalar(text: string, type: string): unknown {
  if (type === 'bool') return text === 't';
  if (NUMBERS.has(type)) return Number.isFinite(Number(text)) ? Number(text) : text;
  if (type === 'json' || type === 'jsonb') return JSON.parse(text);
  if (type === 'timestamp' || type === 'timestamptz') return isoTime(text);
  return text;
}

function elements(items: unknown[], type: string): unknown[] {
  return items.map((item) => {
    if (Array.isArray(item)) return elements(item, type);
    return typeof item === 'string' ? scalar(item, type) : null;
  });
}

/** Converts one value. Times are in ISO style and UTC: the stream's connection sets that. */
export function toJson(text: string | null, type: TypeName): unknown {
  if (text === null) return null;
  return type.element === undefined ? scalar(text, type.name) : elements(parseArray(text), type.element);
}
