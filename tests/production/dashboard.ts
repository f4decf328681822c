/** The Grafana dashboard and the alert rules, as texts with queries. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const DEPLOY = join(import.meta.dirname, '../../deploy');

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

/** A query of a panel. */
export interface Query {
  panel: string;
  expr: string;
}

/** Returns all queries of the dashboard. */
export async function dashboardQueries(): Promise<Query[]> {
  const { panels } = JSON.parse(await readFile(join(DEPLOY, 'grafana/mashup-engine.json'), 'utf8')) as {
    panels: Panel[];
  };
  return panels.flatMap(({ targets = [], title }) => targets.map(({ expr }) => ({ panel: title, expr })));
}

/** Returns the names of the metrics in the dashboard and in the alert rules, without the suffixes of histograms. */
export async function metricsInUse(): Promise<Set<string>> {
  const texts = (await dashboardQueries()).map(({ expr }) => expr);
  texts.push(await readFile(join(DEPLOY, 'prometheus/alerts.yml'), 'utf8'));
  const names = texts.join('\n').match(/\b(?:mashup|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
}
