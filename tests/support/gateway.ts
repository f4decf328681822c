/** A gateway in this process, in front of a test database. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayConfig } from '@mashup-engine/supabase-local/gateway/config';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import type { CleanUpScope, TestDatabase } from './postgres.ts';

/** Starts a gateway on a free port. It is stopped, and its files are removed, after the test. */
export async function useGateway(
  scope: CleanUpScope,
  database: TestDatabase,
  config: Partial<GatewayConfig> = {},
): Promise<{ url: string; keys: Keys }> {
  const storageDir = await mkdtemp(join(tmpdir(), 'mashup-gateway-'));
  const keys = await makeKeys();
  const gateway = await startGateway({ port: 0, dbUrl: database.superuserUrl, keys, storageDir, ...config });
  scope.after(async () => {
    await gateway.close();
    await rm(storageDir, { recursive: true, force: true });
  });
  return { url: gateway.url, keys };
}
