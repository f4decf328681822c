/** Calls functions with named arguments. */
import type { Exchange } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { EXPOSED_SCHEMA, shapeOf } from './catalog.ts';
import type { ApiFunction } from './catalog.ts';
import { pageClause, selectList, whereClause } from './clauses.ts';
import { restError, unsupported } from './errors.ts';
import { readPreferences } from './preferences.ts';
import { OPERATORS, parseQuery } from './query.ts';
import { runStatement } from './run.ts';
import type { Statement } from './run.ts';
import { Parameters, quote } from './statement.ts';
import { readRows } from './tables.ts';
import type { RestContext } from './tables.ts';

interface Call {
  callee: ApiFunction;
  /** Arguments as the text of one JSON object. */
  text: string;
  names: string[];
}

/** A parameter of a query string is an argument unless it is reserved or its value looks like a filter. */
const FILTER = new RegExp(`^(not\\.)?(${OPERATORS.join('|')})\\.`);
const RESERVED = new Set(['select', 'order', 'limit', 'offset']);

function unknownFunction(name: string, names: string[]): Error {
  const list = names.join(', ');
  const searched =
    names.length === 0 ? 'without parameters' : `with parameters ${list} or with a single unnamed json/jsonb parameter`;
  return restError(
    404,
    'PGRST202',
    `Could not find the function ${EXPOSED_SCHEMA}.${name}(${list}) in the schema cache`,
    {
      details: `Searched for the function ${EXPOSED_SCHEMA}.${name} ${searched}, but no matches were found in the schema cache.`,
    },
  );
}

async function findFunction(context: RestContext, name: string, names: string[]): Promise<ApiFunction> {
  const [callee, ...others] = await context.catalog.functions(name, names);
  if (!callee) throw unknownFunction(name, names);
  if (others.length > 0) {
    const signature = (one: ApiFunction): string =>
      `${EXPOSED_SCHEMA}.${name}(${one.arguments.map((argument) => `${argument.name} => ${argument.type}`).join(', ')})`;
    throw restError(
      300,
      'PGRST203',
      `Could not choose the best candidate function between: ${[callee, ...others].map(signature).join(', ')}`,
      {
        hint: 'Try renaming the parameters or the function itself in the database so function overloading can be resolved',
      },
    );
  }
  return callee;
}

async function readQueryCall(context: RestContext, exchange: Exchange, name: string): Promise<Call> {
  const names = [...new Set(exchange.query.keys())].filter(
    (word) => !RESERVED.has(word) && !FILTER.test(exchange.query.get(word) ?? ''),
  );
  const callee = await findFunction(context, name, names);
  const values = names.map((argument) => {
    const value = exchange.query.get(argument) ?? '';
    const type = callee.arguments.find((known) => known.name === argument)?.type;
    if (type !== 'json' && type !== 'jsonb') return [argument, value];
    try {
      return [argument, JSON.parse(value)];
    } catch {
      throw restError(400, '22P02', `invalid input syntax for type ${type}`);
    }
  });
  return { callee, names, text: JSON.stringify(Object.fromEntries(values)) };
}

async function readBodyCall(context: RestContext, exchange: Exchange, name: string): Promise<Call> {
  const { text, rows, many } = await readRows(exchange);
  if (many) throw unsupported('an array as the body of a function call');
  const names = Object.keys(rows[0] ?? {});
  return { callee: await findFunction(context, name, names), names, text };
}

/** Returns the call as an item of a `from` clause. The arguments are read from the JSON with their types. */
function callExpression({ callee, text, names }: Call, parameters: Parameters): string {
  const reference = `${quote(EXPOSED_SCHEMA)}.${quote(callee.name)}`;
  if (names.length === 0) return `${reference}()`;
  const types = names.map((name) => `${quote(name)} ${callee.arguments.find((known) => known.name === name)!.type}`);
  const passed = names.map((name) => `${quote(name)} => passed.${quote(name)}`);
  return `json_to_record(${parameters.bind(text)}::json) as passed (${types.join(', ')}), lateral ${reference}(${passed.join(', ')})`;
}

function buildStatement(call: Call, exchange: Exchange, count: boolean): Statement & { offset: number } {
  const { callee } = call;
  const parameters = new Parameters();
  const source = callExpression(call, parameters);
  const query = parseQuery(exchange.query, new Set(exchange.method === 'POST' ? [] : call.names));
  if (callee.result !== 'row') {
    if (query.filters.length > 0 || query.order.length > 0)
      throw unsupported('filters and order on a function that does not return rows');
    const value = callee.set
      ? `coalesce(json_agg(row_of_source.value), '[]')::text`
      : `coalesce((json_agg(row_of_source.value) -> 0)::text, 'null')`;
    return {
      with: `source as (select result.value from ${source} as result (value) ${pageClause(shapeOf('', []), query, 'result')})`,
      returns: callee.result === 'scalar',
      body: value,
      parameters: parameters.values,
      offset: query.offset,
    };
  }
  const shape = shapeOf(callee.name, callee.columns);
  const where = whereClause(shape, query.filters, 'result', parameters);
  const list = selectList(shape, query.select, 'result');
  return {
    with: `all_rows as materialized (select result.* from ${source} as result),
      source as (select ${list} from all_rows as result ${where} ${pageClause(shape, query, 'result')})`,
    returns: true,
    body: callee.set ? undefined : `(json_agg(row_of_source) -> 0)::text`,
    total: count && callee.set ? `(select count(*) from all_rows as result ${where})` : undefined,
    parameters: parameters.values,
    offset: query.offset,
  };
}

/** Handles `/rpc/<name>`. A void function gives 204, a scalar bare JSON, one row an object, a set an array. */
export async function handleRpc(
  context: RestContext,
  exchange: Exchange,
  identity: Identity,
  name: string,
): Promise<void> {
  const { method } = exchange;
  if (method !== 'POST' && method !== 'GET' && method !== 'HEAD') throw unsupported(`${method} on a function`);
  const preferences = readPreferences(exchange);
  const call = await (method === 'POST' ? readBodyCall : readQueryCall)(context, exchange, name);
  const statement = buildStatement(call, exchange, preferences.count);
  const { callee } = call;
  await runStatement(context.sql, exchange, identity, statement, {
    preferences: { ...preferences, single: preferences.single && callee.result === 'row' },
    status: callee.result === 'void' ? 204 : 200,
    offset: statement.offset,
    requireOne: callee.set,
  });
}
