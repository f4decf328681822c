/** Measures all cases of hard material, and prints name, truth, and the values before and after. */
import { CONTAINER_CASES } from './hard-material/cases/container.ts';
import { CONTENT_CASES } from './hard-material/cases/content.ts';
import { DELIVERY_CASES } from './hard-material/cases/delivery.ts';
import { KEY_CASES, KEY_SET_CASES } from './hard-material/cases/key.ts';
import { LEVEL_MASHUP_CASES } from './hard-material/cases/levels.ts';
import { SIGNAL_CASES } from './hard-material/cases/signal.ts';
import { TIME_CASES } from './hard-material/cases/time.ts';
import { METER_CASES } from './hard-material/cases/time-meter.ts';
import { TIME_MASHUP_CASES } from './hard-material/cases/time-mashup.ts';
import { TUNING_CASES } from './hard-material/cases/tuning.ts';
import type { HardCase, HardOutcome } from './hard-material/hard-case.ts';
import { printTable } from './table.ts';

const CASES: readonly HardCase[] = [
  ...DELIVERY_CASES,
  ...SIGNAL_CASES,
  ...LEVEL_MASHUP_CASES,
  ...TUNING_CASES,
  ...KEY_CASES,
  ...KEY_SET_CASES,
  ...TIME_CASES,
  ...METER_CASES,
  ...TIME_MASHUP_CASES,
  ...CONTENT_CASES,
  ...CONTAINER_CASES,
];

/** The outcome of a case; an error is a wrong outcome. */
async function measureCase(each: HardCase): Promise<HardOutcome> {
  try {
    return await each.measure();
  } catch (error) {
    return { value: error instanceof Error ? error.message : String(error), right: false };
  }
}

/** Measures all cases in order. Returns them with their outcomes. */
export async function benchHardMaterial(): Promise<unknown> {
  const rows: Record<string, string>[] = [];
  for (const each of CASES) {
    const { group, name, truth, before } = each;
    const { value, right } = await measureCase(each);
    rows.push({ group, name, truth, before, after: value, right: right ? 'yes' : 'NO' });
  }
  printTable('Hard material', rows);
  return rows;
}
