/** The generated part of docs/explanation/architecture.md: diagram and table of the stages. */
import type postgres from 'postgres';
import { STAGE_DEFINITIONS, TERMINAL_STAGES } from '../../schema/stages.ts';
import { markdownTable } from './markdown.ts';

/** Lines around the generated part of a page. */
const BEGIN = '<!-- Generated from schema/stages.ts by `npm run docs:build`: begin -->';
const END = '<!-- Generated: end -->';

/**
 * Returns the page with its generated part replaced.
 * @param sql a connection to a database with all migrations: its transitions are drawn
 * @throws Error if the page has no generated part
 */
export async function withStages(page: string, sql: postgres.Sql): Promise<string> {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('the page has no part for the stages');
  const part = [await diagram(sql), REST, stageTable()].join('\n\n');
  return `${page.slice(0, begin)}${BEGIN}\n\n${part}\n\n${page.slice(end)}`;
}

const REST = `A job can also go from every live stage to \`failed\` (by the engine alone) and to \`cancelled\` (by a user or an operator). A replay goes from a
live stage to the same or an earlier stage, and from ${sentence(TERMINAL_STAGES)} to any stage that is not terminal:
\`update mashup_jobs set stage = 'planning' where id = '…'\`.`;

/** The transitions of the engine that lead along the stages or back. */
async function diagram(sql: postgres.Sql): Promise<string> {
  const rows = await sql<{ from_stage: string; to_stage: string; name: string }[]>`
    select t.from_stage, t.to_stage, t.name from mashup.transitions t
    join mashup.stages f on f.stage = t.from_stage join mashup.stages s on s.stage = t.to_stage
    where t.name in ('admit', 'advance', 'replan', 'remake') order by t.name, f.position, s.position`;
  return [
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${STAGE_DEFINITIONS[0]?.stage ?? ''}`,
    ...rows.map((row) => `  ${row.from_stage} --> ${row.to_stage} : ${row.name}`),
    '  complete --> [*]',
    '```',
  ].join('\n');
}

function stageTable(): string {
  return markdownTable(
    ['Stage', 'Progress', 'Tasks', 'Advances when'],
    STAGE_DEFINITIONS.flatMap(({ stage, progress: [from, to], about }) =>
      about === undefined
        ? []
        : [[stage, from === to ? `${from} %` : `${from} to ${to} %`, about.tasks, about.advancesWhen]],
    ),
  );
}

function sentence(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1) ?? ''}`;
}
