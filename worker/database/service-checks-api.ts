/** The calls with which workers share the checks of services, and note what came of them. */
import { sql } from 'kysely';
import { z } from 'zod';
import { CIRCUITS } from '../../schema.ts';
import type { CircuitName } from '../../schema.ts';
import type { Db } from './database.ts';

const isCircuit = (name: string): name is CircuitName => CIRCUITS.some((circuit) => circuit === name);

/** Returns what is due to be checked. No other worker checks it now. A service that only a newer worker knows is left out. */
export async function servicesToCheck(db: Db): Promise<CircuitName[]> {
  const { rows } = await sql<{ due: unknown }>`select mashup.services_to_check() as due`.execute(db);
  return z.array(z.string()).parse(rows[0]?.due).filter(isCircuit);
}

/** Notes that a service answered, or with `error` why it did not. */
export async function reportServiceCheck(db: Db, service: CircuitName, error?: string): Promise<void> {
  await sql`select mashup.report_service_check(${service}::text, ${error ?? null}::text)`.execute(db);
}
