/** Values of the replication stream, which come as text, as `to_jsonb` would give them. */

/** A type as pg_type has it: `name` is e.g. `int8`, `timestamptz` or `_text`, whose `element` is `text`. */
export interface TypeName {
  name: string;
  element: string | undefined;
}

const NUMBERS = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid']);

/** Elements of an array literal (`{a,"b c",{d}}`): texts, nulls and nested arrays. */
function parseArray(text: string): unknown[] {
  let at = text.indexOf('{');
  function list(): unknown[] {
    const items: unknown[] = [];
    at += 1;
    while (at < text.length && text[at] !== '}') {
      if (text[at] === ',') at += 1;
      else if (text[at] === '{') items.push(list());
      else items.push(text[at] === '"' ? quoted() : plain());
    }
    at += 1;
    return items;
  }
  function quoted(): string {
    let value = '';
    for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
      if (text[at] === '\\') at += 1;
      value += text[at] ?? '';
    }
    at += 1;
    return value;
  }
  function plain(): string | null {
    const start = at;
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at += 1;
    const value = text.slice(start, at);
    return value === 'NULL' ? null : value;
  }
  return at < 0 ? [] : list();
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

/** One value as JSON. Texts are in ISO style and UTC, since the stream's connection asks for that. */
export function toJson(text: string | null, type: TypeName): unknown {
  if (text === null) return null;
  return type.element === undefined ? scalar(text, type.name) : elements(parseArray(text), type.element);
}
