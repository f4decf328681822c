/** Parses the query string of a REST call: columns, filters, order and range. */
import { restError, unsupported } from './errors.ts';

/** A selected column with its name in the response. */
export interface Selected {
  column: string;
  alias: string;
}

/** A condition on one column. */
export interface Filter {
  column: string;
  negated: boolean;
  operator: Operator;
  value: string;
}

/** One item of `order`. */
export interface Ordering {
  column: string;
  descending: boolean;
  nulls: 'first' | 'last' | undefined;
}

/** A parsed query. `select` undefined means every column. */
export interface Query {
  select: Selected[] | undefined;
  filters: Filter[];
  order: Ordering[];
  limit: number | undefined;
  offset: number;
  /** `columns=`: the keys that a bulk insert writes. */
  columns: string[] | undefined;
}

/** Supported filter operators. */
export const OPERATORS = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like', 'ilike', 'in', 'is'] as const;
type Operator = (typeof OPERATORS)[number];

const RESERVED = new Set([
  'select',
  'order',
  'limit',
  'offset',
  'columns',
  'on_conflict',
  'and',
  'or',
  'not.and',
  'not.or',
]);

function parseError(what: string, text: string): Error {
  return restError(400, 'PGRST100', `"failed to parse ${what} (${text})" (line 1, column 1)`, {
    details: `unexpected ${JSON.stringify(text)}`,
  });
}

/** Splits at commas outside of double quotes and removes quotes and escapes. */
export function splitList(text: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (quoted && character === '\\' && at + 1 < text.length) piece += text[(at += 1)];
    else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      pieces.push(piece);
      piece = '';
    } else piece += character;
  }
  if (quoted) throw parseError('list', text);
  pieces.push(piece);
  return pieces;
}

function parseSelect(text: string): Selected[] | undefined {
  if (text === '' || text === '*') return undefined;
  return splitList(text).map((item) => {
    if (item.includes('(')) throw unsupported(`embedding in select: "${item}"`);
    if (item.includes('->')) throw unsupported(`JSON paths in select: "${item}"`);
    if (item.includes('::')) throw unsupported(`casts in select: "${item}"`);
    if (item === '*') throw unsupported('* beside other columns in select');
    const [first = '', second] = item.split(':');
    if (first === '' || second === '') throw parseError('select parameter', text);
    return { alias: first, column: second ?? first };
  });
}

function parseOrder(text: string): Ordering[] {
  return splitList(text).map((item) => {
    if (item.includes('(') || item.includes('->')) throw unsupported(`"${item}" in order`);
    const parsed = /^(.+?)(?:\.(asc|desc))?(?:\.nulls(first|last))?$/.exec(item);
    if (!parsed) throw parseError('order', text);
    const nulls = parsed[3] === 'first' || parsed[3] === 'last' ? parsed[3] : undefined;
    return { column: parsed[1]!, descending: parsed[2] === 'desc', nulls };
  });
}

function parseFilter(column: string, text: string): Filter {
  if (column.includes('->')) throw unsupported(`JSON paths in filters: "${column}"`);
  if (column.includes('.')) throw unsupported(`filters on embedded resources: "${column}"`);
  const negated = text.startsWith('not.');
  const rest = negated ? text.slice('not.'.length) : text;
  const dot = rest.indexOf('.');
  if (dot < 0) throw parseError('filter', text);
  const name = rest.slice(0, dot);
  const operator = OPERATORS.find((known) => known === name);
  if (!operator) {
    if (/^[a-z]+(\([a-z]+\))?$/.test(name)) throw unsupported(`the filter operator "${name}"`);
    throw parseError('filter', text);
  }
  return { column, negated, operator, value: rest.slice(dot + 1) };
}

function parseCount(name: string, text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw parseError(`${name} parameter`, text);
  return Number(text);
}

/**
 * Parses the query of a table or of a function's result.
 * @param argumentNames parameters that are arguments of the function, not filters
 * @throws HttpError 400 for an invalid query, 501 for an unsupported one
 */
export function parseQuery(parameters: URLSearchParams, argumentNames: ReadonlySet<string> = new Set()): Query {
  for (const name of ['and', 'or', 'not.and', 'not.or', 'on_conflict'])
    if (parameters.has(name)) throw unsupported(`the query parameter "${name}"`);
  const filters = [...parameters]
    .filter(([name]) => !RESERVED.has(name) && !argumentNames.has(name))
    .map(([name, value]) => parseFilter(name, value));
  const order = parameters.get('order');
  const columns = parameters.get('columns');
  return {
    select: parseSelect(parameters.get('select') ?? '*'),
    filters,
    order: order ? parseOrder(order) : [],
    limit: parseCount('limit', parameters.get('limit')),
    offset: parseCount('offset', parameters.get('offset')) ?? 0,
    columns: columns ? splitList(columns) : undefined,
  };
}

/** Returns the columns that a query refers to, to look them up before the statement is built. */
export function referencedColumns(query: Query): string[] {
  return [
    ...(query.select ?? []).map((item) => item.column),
    ...query.filters.map((filter) => filter.column),
    ...query.order.map((item) => item.column),
  ];
}
