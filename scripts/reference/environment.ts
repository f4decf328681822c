/** The reference of environment variables, from the zod schemas that the processes read them with. */
import { z } from 'zod';
import { CliEnvironment } from '../../cli/environment.ts';
import { ConnectionEnvironment } from '../../connection/environment.ts';
import { GatewayEnvironment } from '../../packages/supabase-local/gateway/config.ts';
import { ServiceEnvironment } from '../../services/http/environment.ts';
import { OrchestratorEnvironment } from '../../services/orchestrator/settings.ts';
import { ProcessingEnvironment } from '../../services/processing/settings.ts';
import { SeparationEnvironment } from '../../services/separation/settings.ts';
import { FunctionEnvironment } from '../../supabase/functions/_shared/environment-variables.ts';
import { WorkerEnvironment } from '../../worker/config.ts';
import { DevelopmentEnvironment } from './development-environment.ts';
import { markdownTable } from './markdown.ts';

interface Group {
  title: string;
  intro: string;
  schema: z.ZodObject;
}

/** Each process with the schema of its variables. */
export const ENVIRONMENT_GROUPS: readonly Group[] = [
  {
    title: 'Worker',
    intro: '`npx mashup worker`, `node worker/main.ts` (`worker/config.ts`)',
    schema: WorkerEnvironment,
  },
  { title: 'Command line', intro: '`npx mashup` (`cli/environment.ts`)', schema: CliEnvironment },
  {
    title: 'Connections to Postgres',
    intro:
      'worker and command line, with the meanings of libpq; `DATABASE_URL` takes precedence (`connection/environment.ts`)',
    schema: ConnectionEnvironment,
  },
  {
    title: 'Audio services',
    intro: '`node services/NAME/main.ts` (`services/http/environment.ts`)',
    schema: ServiceEnvironment,
  },
  {
    title: 'Orchestrator',
    intro: '`node services/orchestrator/main.ts`, besides those of every service (`services/orchestrator/settings.ts`)',
    schema: OrchestratorEnvironment,
  },
  {
    title: 'Rendering service',
    intro: '`node services/processing/main.ts`, besides those of every service (`services/processing/settings.ts`)',
    schema: ProcessingEnvironment,
  },
  {
    title: 'Separation service',
    intro: '`node services/separation/main.ts`, besides those of every service (`services/separation/settings.ts`)',
    schema: SeparationEnvironment,
  },
  {
    title: 'Edge functions',
    intro: '`supabase/functions/_shared/environment-variables.ts`',
    schema: FunctionEnvironment,
  },
  {
    title: 'Local gateway',
    intro: '`node packages/supabase-local/gateway/main.ts` (`packages/supabase-local/gateway/config.ts`)',
    schema: GatewayEnvironment,
  },
  {
    title: 'Development, tests and benchmarks',
    intro: '`scripts/reference/development-environment.ts`',
    schema: DevelopmentEnvironment,
  },
];

/** The page `docs/reference/environment.md`. */
export function environmentReference(): string {
  const parts = [
    '# Environment variables',
    'Generated from the schemas of the processes by `npm run docs:build`. An empty variable counts as unset unless a process says otherwise.',
  ];
  for (const { title, intro, schema } of ENVIRONMENT_GROUPS) {
    const rows = Object.entries(schema.shape).map(([name, variable]) => rowOf(name, variable as z.ZodType));
    parts.push(`## ${title}`, `${intro}.`, markdownTable(['Variable', 'Value', 'Default', 'Meaning'], rows));
  }
  return `${parts.join('\n\n')}\n`;
}

function rowOf(name: string, variable: z.ZodType): string[] {
  const absent = variable.safeParse(undefined);
  const fallback = !absent.success ? '**required**' : absent.data === undefined ? '' : `\`${String(absent.data)}\``;
  return [`\`${name}\``, valuesOf(variable), fallback, variable.description ?? ''];
}

/** What a variable may contain, in words. */
function valuesOf(variable: z.ZodType): string {
  const schema = z.toJSONSchema(variable, { io: 'output', unrepresentable: 'any' });
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.format === 'uri') return 'URL';
  if (schema.type !== 'integer' && schema.type !== 'number') return 'text';
  const { minimum, maximum } = schema;
  const kind = schema.type === 'integer' ? 'integer' : 'number';
  const isBounded = minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return isBounded ? `${kind}, ${minimum} to ${maximum}` : kind;
}
