/** The report of a run: one row for each service. */
import type { ServiceName } from '../../schema.ts';
import type { RuleResult } from '../../service-check/check.ts';
import { markdownTable } from '../reference/markdown.ts';
import type { Installation } from './checkout.ts';
import type { JobOutcome } from './job.ts';

/** What was seen of one service. */
export interface ServiceReport {
  service: ServiceName;
  /** Undefined if the service was given by its URL. */
  installation?: Installation;
  /** What it said instead of starting. */
  failure?: string;
  rules?: RuleResult[];
  /** A job with this service, and built-in ones for the rest. */
  job?: JobOutcome;
}

/** Writes the reports as Markdown. */
export function formatReports(reports: readonly ServiceReport[]): string {
  const rows = reports.map((report) => [
    report.service,
    installationText(report.installation),
    report.failure === undefined ? 'yes' : `no: ${report.failure}`,
    contractText(report.rules),
    jobText(report),
    timeText(report),
  ]);
  return markdownTable(
    ['Service', 'Installed', 'Ran', 'Contract', 'Job with this service', 'Seconds of its tasks'],
    rows,
  );
}

function installationText(installation: Installation | undefined): string {
  if (installation === undefined) return '-';
  const { isInstalled, loosened, refusals } = installation;
  if (isInstalled && loosened.length === 0) return 'as its requirements stand';
  const words = `pip says: ${refusals.join('; ')}`;
  return isInstalled ? `without the limits of ${loosened.join(', ')}; ${words}` : `no; ${words}`;
}

function contractText(rules: RuleResult[] | undefined): string {
  if (rules === undefined) return '-';
  const faults = rules.filter(({ outcome }) => outcome === 'fault' || outcome === 'advice');
  const held = rules.filter(({ outcome }) => outcome === 'holds').length;
  const broken = faults.map(({ rule, detail }) => `${rule} (${detail ?? ''})`);
  return [`${held} of ${rules.length} rules hold`, ...broken].join('; ');
}

function jobText({ service, job }: ServiceReport): string {
  if (job === undefined) return '-';
  const isUsed = job.used.includes(service);
  const words = [job.error, ...job.warnings].filter((text) => text !== null);
  return [`${job.stage}, result ${isUsed ? 'used' : 'not used'}`, ...words].join('; ');
}

function timeText({ service, job }: ServiceReport): string {
  const seconds = job?.seconds[service];
  return seconds === undefined ? '-' : String(seconds);
}
