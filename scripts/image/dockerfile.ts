/** Reads the Dockerfile of the image. Only the instructions and forms that it uses are known. */

/** One instruction that changes files or the environment of the steps after it. */
export type Step =
  | { kind: 'run'; command: string }
  | { kind: 'copy'; from: string | undefined; sources: string[]; target: string }
  | { kind: 'workdir'; path: string }
  | { kind: 'env'; variables: Record<string, string> };

/** One stage of the build. */
export interface BuildStage {
  /** Image that the stage starts from. */
  base: string;
  name: string | undefined;
  steps: Step[];
}

/** What is started, and as whom. */
export interface ImageConfig {
  user: string | undefined;
  entrypoint: string[];
  command: string[];
  healthcheck: string[] | undefined;
  ports: number[];
}

export interface Dockerfile {
  stages: BuildStage[];
  config: ImageConfig;
}

/** Parses a Dockerfile. @throws Error for an instruction that is not known here */
export function parseDockerfile(text: string): Dockerfile {
  const stages: BuildStage[] = [];
  const config: ImageConfig = { user: undefined, entrypoint: [], command: [], healthcheck: undefined, ports: [] };
  for (const line of instructionsOf(text)) {
    const [, instruction = '', rest = ''] = /^(\w+)\s+(.*)$/s.exec(line) ?? [];
    if (instruction === 'FROM') {
      const [, base = '', name] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? [];
      stages.push({ base, name, steps: [] });
      continue;
    }
    const step = stepOf(instruction, rest);
    if (step !== undefined) stages.at(-1)?.steps.push(step);
    else configure(config, instruction, rest);
  }
  return { stages, config };
}

/** Lines without comments, with continued lines joined. */
function instructionsOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n');
}

function stepOf(instruction: string, rest: string): Step | undefined {
  switch (instruction) {
    case 'RUN':
      return { kind: 'run', command: rest };
    case 'COPY': {
      const words = rest.split(/\s+/);
      const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
      return { kind: 'copy', from, sources: words.slice(0, -1), target: words.at(-1) ?? '' };
    }
    case 'WORKDIR':
      return { kind: 'workdir', path: rest };
    case 'ENV':
      return { kind: 'env', variables: Object.fromEntries(rest.split(/\s+/).map((pair) => pair.split('=', 2))) };
    default:
      return undefined;
  }
}

function configure(config: ImageConfig, instruction: string, rest: string): void {
  const list = (): string[] => JSON.parse(rest.slice(rest.indexOf('['))) as string[];
  switch (instruction) {
    case 'USER':
      config.user = rest;
      break;
    case 'EXPOSE':
      config.ports = rest.split(/\s+/).map(Number);
      break;
    case 'ENTRYPOINT':
      config.entrypoint = list();
      break;
    case 'CMD':
      config.command = list();
      break;
    case 'HEALTHCHECK':
      config.healthcheck = list();
      break;
    case 'STOPSIGNAL':
      break;
    default:
      throw new Error(`The instruction ${instruction} is not known here.`);
  }
}
