/** Builds SQL clauses from a parsed query over one shape. */
import type { Shape } from './catalog.ts';
import { restError, unsupported } from './errors.ts';
import { splitList } from './query.ts';
import type { Filter, Ordering, Query, Selected } from './query.ts';
import { quote } from './statement.ts';
import type { Parameters } from './statement.ts';

const SYMBOLS = { eq: '=', neq: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

const IS = new Map([
  ['null', 'is null'],
  ['not_null', 'is not null'],
  ['true', 'is true'],
  ['false', 'is false'],
  ['unknown', 'is unknown'],
]);

/** Returns a column, or throws 42703 with the message of Postgres. */
function requireColumn(shape: Shape, name: string): { sql: string; type: string } {
  const column = shape.columns.get(name);
  if (!column) throw restError(400, '42703', `column ${shape.name}.${name} does not exist`);
  return { sql: quote(name), type: column.base };
}

function condition(shape: Shape, filter: Filter, source: string, parameters: Parameters): string {
  const { sql, type } = requireColumn(shape, filter.column);
  const left = `${source}.${sql}`;
  const { operator, value } = filter;
  switch (operator) {
    case 'is': {
      const test = IS.get(value.toLowerCase());
      if (!test) throw unsupported(`the filter "is.${value}"`);
      return `${left} ${test}`;
    }
    case 'in': {
      if (!/^\(.*\)$/s.test(value))
        throw restError(400, 'PGRST100', `"failed to parse filter (in.${value})" (line 1, column 4)`);
      const inner = value.slice(1, -1);
      if (inner === '') return 'false';
      return `${left} in (${splitList(inner)
        .map((item) => parameters.bind(item, type))
        .join(', ')})`;
    }
    case 'like':
    case 'ilike':
      return `${left}::text ${operator} ${parameters.bind(value.replaceAll('*', '%'))}`;
    default:
      return `${left} ${SYMBOLS[operator]} ${parameters.bind(value, type)}`;
  }
}

/** Returns the `where` clause, or an empty text. `source` is the alias of the rows in the statement. */
export function whereClause(shape: Shape, filters: Filter[], source: string, parameters: Parameters): string {
  const conditions = filters.map((filter) => {
    const test = condition(shape, filter, source, parameters);
    return filter.negated ? `not (${test})` : test;
  });
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
}

/** Returns the list of columns to select. */
export function selectList(shape: Shape, select: Selected[] | undefined, source: string): string {
  if (!select) return `${source}.*`;
  return select
    .map(({ column, alias }) => `${source}.${requireColumn(shape, column).sql} as ${quote(alias)}`)
    .join(', ');
}

function orderItem(shape: Shape, item: Ordering, source: string): string {
  const nulls = item.nulls ? ` nulls ${item.nulls}` : '';
  return `${source}.${requireColumn(shape, item.column).sql} ${item.descending ? 'desc' : 'asc'}${nulls}`;
}

/** Returns `order by`, `limit` and `offset`. */
export function pageClause(shape: Shape, query: Query, source: string): string {
  const order = query.order.map((item) => orderItem(shape, item, source)).join(', ');
  const limit = query.limit === undefined ? '' : `limit ${query.limit}`;
  const offset = query.offset === 0 ? '' : `offset ${query.offset}`;
  return [order === '' ? '' : `order by ${order}`, limit, offset].filter((part) => part !== '').join(' ');
}
