/**
 * The permanent logical replication slot of a database. Nobody subscribes to changes that are made while the gateway is
 * down, so the slot is dropped when the gateway ends, and one that a killed gateway left is dropped at the next start.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { databaseError } from '../database.ts';

const SLOT_RETRY_MS = 250;
/** How long the slot of a process that is shutting down is waited for, in milliseconds. */
const SLOT_TIMEOUT_MS = 15_000;
const OBJECT_IN_USE = '55006';
const DUPLICATE_OBJECT = '42710';

/** Returns the name of the slot. Slots belong to the cluster, so the name carries a hash of the database's name. */
export async function slotName(sql: Sql): Promise<string> {
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  return `supabase_local_${createHash('sha256').update(row!.name).digest('hex').slice(0, 16)}`;
}

/** Drops a slot, if it exists. Waits for one that is in use, since its owner may be shutting down. */
export async function dropSlot(sql: Sql, slot: string): Promise<void> {
  const deadline = Date.now() + SLOT_TIMEOUT_MS;
  for (;;) {
    try {
      await sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot}`;
      return;
    } catch (error) {
      if (databaseError(error)?.code !== OBJECT_IN_USE || Date.now() > deadline) throw error;
      await delay(SLOT_RETRY_MS);
    }
  }
}

/** Creates a slot. One of the same name, which an earlier process left, is dropped first. */
export async function createSlot(sql: Sql, slot: string): Promise<void> {
  try {
    await sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`;
  } catch (error) {
    if (databaseError(error)?.code !== DUPLICATE_OBJECT) throw error;
    await dropSlot(sql, slot);
    await sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`;
  }
}

/** Drops the slot that a killed gateway left behind: it would retain WAL for ever. */
export async function dropOrphanedSlot(sql: Sql): Promise<void> {
  const slot = await slotName(sql);
  await sql`
    select pg_drop_replication_slot(slot_name) from pg_replication_slots
    where slot_name = ${slot} and active_pid is null`;
}
