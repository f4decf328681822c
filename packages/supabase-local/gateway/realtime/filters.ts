/** Filters of a subscription: `column=op.value`. Several are separated by commas, and all of them must hold. */
import { RealtimeError } from './errors.ts';

const OPERATORS = ['eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'in', 'like', 'ilike', 'is'] as const;
type Operator = (typeof OPERATORS)[number];

/** One condition. `values` has one entry, except for `in`. */
export interface Condition {
  column: string;
  operator: Operator;
  negated: boolean;
  values: string[];
}

const NUMBERS = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid']);

/** Splits at commas outside of quotes and parentheses. */
function splitTopLevel(text: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  let depth = 0;
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && character === '(') depth += 1;
    else if (!quoted && character === ')') depth -= 1;
    if (character === ',' && depth === 0 && !quoted) {
      pieces.push(piece);
      piece = '';
    } else piece += character;
  }
  return [...pieces, piece];
}

const unquote = (text: string): string => (/^".*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text);

function parseCondition(text: string): Condition {
  const parsed = /^([^=]+)=(not\.)?([a-z]+)\.(.*)$/s.exec(text.trim());
  const operator = OPERATORS.find((known) => known === parsed?.[3]);
  if (!parsed || !operator) throw new RealtimeError(`Error parsing \`filter\` params: ["${text}"]`);
  const value = parsed[4]!;
  const negated = parsed[2] !== undefined;
  const column = parsed[1]!.trim();
  if (operator !== 'in') return { column, operator, negated, values: [unquote(value)] };
  if (!/^\(.*\)$/s.test(value)) throw new RealtimeError(`Error parsing \`filter\` params: ["${text}"]`);
  return { column, operator, negated, values: splitTopLevel(value.slice(1, -1)).map((item) => unquote(item.trim())) };
}

/**
 * Parses a filter.
 * @throws RealtimeError whose message is sent to the client
 */
export function parseFilter(text: string): Condition[] {
  return splitTopLevel(text).map(parseCondition);
}

/** Tests whether the values of a condition have to be literals of the column's type. */
export function isTyped(condition: Condition): boolean {
  return !['like', 'ilike', 'is'].includes(condition.operator);
}

function compare(left: string, right: string, type: string): number {
  if (NUMBERS.has(type)) {
    const whole = type.startsWith('int') || type === 'oid';
    const [a, b] = whole ? [BigInt(left), BigInt(right)] : [Number(left), Number(right)];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Converts a `like` pattern to a regular expression: `%` is any text, `_` one character. */
function likePattern(pattern: string, flags: string): RegExp {
  const source = pattern.replace(/\\(.)|[.*+?^${}()|[\]\\]|%|_/gs, (match, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    if (match === '%') return '.*';
    return match === '_' ? '.' : `\\${match}`;
  });
  return new RegExp(`^${source}$`, `s${flags}`);
}

/** Booleans are compared by their first letter: `t`, `true`, `f` and `false` are all valid. */
function normalize(text: string, type: string): string {
  return type === 'bool' ? (text[0] ?? '') : text;
}

function holds(condition: Condition, value: string | null, type: string): boolean {
  const [first = ''] = condition.values;
  if (condition.operator === 'is') {
    if (first === 'null') return value === null;
    return value !== null && normalize(value, type) === (first === 'true' ? 't' : 'f');
  }
  if (value === null) return false;
  const difference = (other: string): number => compare(normalize(value, type), normalize(other, type), type);
  switch (condition.operator) {
    case 'eq':
      return difference(first) === 0;
    case 'neq':
      return difference(first) !== 0;
    case 'lt':
      return difference(first) < 0;
    case 'lte':
      return difference(first) <= 0;
    case 'gt':
      return difference(first) > 0;
    case 'gte':
      return difference(first) >= 0;
    case 'in':
      return condition.values.some((other) => difference(other) === 0);
    case 'like':
      return likePattern(first, '').test(value);
    case 'ilike':
      return likePattern(first, 'i').test(value);
  }
}

/**
 * Tests whether a row, as texts of the stream, meets all conditions. A column that is missing from the row (unchanged and
 * stored out of line, or not part of a deleted row's key) meets no condition. Null is compared only by `is` and `not.is`.
 */
export function matchesConditions(
  conditions: readonly Condition[],
  row: Record<string, string | null | undefined>,
  typeOf: (column: string) => string,
): boolean {
  return conditions.every((condition) => {
    const value = row[condition.column];
    if (value === undefined) return false;
    if (value === null && condition.operator !== 'is') return false;
    return holds(condition, value, typeOf(condition.column)) !== condition.negated;
  });
}
