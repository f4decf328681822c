/** Calling functions by name with named arguments. */
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
  called: ApiFunction;
  /** Arguments as the text of one JSON object. */
  text: string;
  names: string[];
}

/** In a query string everything that is not reserved, and does not look like a filter, is an argument. */
const FILTER = new RegExp(`^(not\\.)?(${OPERATORS.join('|')})\\.`);
const QUERY_WORDS = new Set(['select', 'order', 'limit', 'offset']);

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
  const [called, ...others] = await context.catalog.functions(name, names);
  if (!called) throw unknownFunction(name, names);
  if (others.length > 0) {
    const signature = (one: ApiFunction): string =>
      `${EXPOSED_SCHEMA}.${name}(${one.arguments.map((argument) => `${argument.name} => ${argument.type}`).join(', ')})`;
    throw restError(
      300,
      'PGRST203',
      `Could not choose the best candidate function between: ${[called, ...others].map(signature).join(', ')}`,
      {
        hint: 'Try renaming the parameters or the function itself in the database so function overloading can be resolved',
      },
    );
  }
  return called;
}

async function readQueryCall(context: RestContext, exchange: Exchange, name: string): Promise<Call> {
  const names = [...new Set(exchange.query.keys())].filter(
    (word) => !QUERY_WORDS.has(word) && !FILTER.test(exchange.query.get(word) ?? ''),
  );
  const called = await findFunction(context, name, names);
  const values = names.map((argument) => {
    const value = exchange.query.get(argument) ?? '';
    const type = called.arguments.find((known) => known.name === argument)?.type;
    if (type !== 'json' && type !== 'jsonb') return [argument, value];
    try {
      return [argument, JSON.parse(value)];
    } catch {
      throw restError(400, '22P02', `invalid input syntax for type ${type}`);
    }
  });
  return { called, names, text: JSON.stringify(Object.fromEntries(values)) };
}

async function readBodyCall(context: RestContext, exchange: Exchange, name: string): Promise<Call> {
  const { text, rows, many } = await readRows(exchange);
  if (many) throw unsupported('an array as the body of a function call');
  const names = Object.keys(rows[0] ?? {});
  return { called: await findFunction(context, name, names), names, text };
}

/** The call as an item of a `from` clause, with the arguments taken out of the JSON by their types. */
function callExpression({ called, text, names }: Call, parameters: Parameters): string {
  const reference = `${quote(EXPOSED_SCHEMA)}.${quote(called.name)}`;
  if (names.length === 0) return `${reference}()`;
  const types = names.map((name) => `${quote(name)} ${called.arguments.find((known) => known.name === name)!.type}`);
  const passed = names.map((name) => `${quote(name)} => passed.${quote(name)}`);
  return `json_to_record(${parameters.bind(text)}::json) as passed (${types.join(', ')}), lateral ${reference}(${passed.join(', ')})`;
}

function buildStatement(call: Call, exchange: Exchange, count: boolean): Statement & { offset: number } {
  const { called } = call;
  const parameters = new Parameters();
  const source = callExpression(call, parameters);
  const query = parseQuery(exchange.query, new Set(exchange.method === 'POST' ? [] : call.names));
  if (called.result !== 'row') {
    if (query.filters.length > 0 || query.order.length > 0)
      throw unsupported('filters and order on a function that does not return rows');
    const value = called.set
      ? `coalesce(json_agg(row_of_source.value), '[]')::text`
      : `coalesce((json_agg(row_of_source.value) -> 0)::text, 'null')`;
    return {
      with: `source as (select result.value from ${source} as result (value) ${pageClause(shapeOf('', []), query, 'result')})`,
      returns: called.result === 'scalar',
      body: value,
      parameters: parameters.values,
      offset: query.offset,
    };
  }
  const shape = shapeOf(called.name, called.columns);
  const where = whereClause(shape, query.filters, 'result', parameters);
  const list = selectList(shape, query.select, 'result');
  return {
    with: `everything as materialized (select result.* from ${source} as result),
      source as (select ${list} from everything as result ${where} ${pageClause(shape, query, 'result')})`,
    returns: true,
    body: called.set ? undefined : `(json_agg(row_of_source) -> 0)::text`,
    total: count && called.set ? `(select count(*) from everything as result ${where})` : undefined,
    parameters: parameters.values,
    offset: query.offset,
  };
}

/** Answers `/rpc/<name>`: void is 204, a scalar bare JSON, one row an object, a set an array. */
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
  const { called } = call;
  await runStatement(context.sql, exchange, identity, statement, {
    preferences: { ...preferences, single: preferences.single && called.result === 'row' },
    status: called.result === 'void' ? 204 : 200,
    offset: statement.offset,
    rowsWanted: called.set,
  });
}
