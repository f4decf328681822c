/** Rules of the contract of the audio services. */
import type { ServiceName } from '../schema.ts';
import type { FileServer } from './file-server.ts';
import type { Reply } from './request.ts';

/** One rule: what a service must do, and the check that it does. */
export interface Rule {
  /** Short name, unique for a service: `echoes-song-id`. */
  name: string;
  /** What holds, in one sentence. */
  text: string;
  /** A service that breaks it still works with the worker. */
  isAdvice?: boolean;
  /** @throws Fault if the rule does not hold; NotChecked if that cannot be seen from here */
  check(probe: Probe): Promise<void>;
}

/** What a service does against a rule, in words. */
export class Fault extends Error {
  override readonly name = 'Fault';
}

/** A rule that cannot be checked: what the service did is not visible, or an earlier rule does not hold. */
export class NotChecked extends Error {
  override readonly name = 'NotChecked';
}

/** A call that other rules look at. */
export type CallName = 'valid' | 'empty' | 'broken' | 'no-file' | 'no-source' | 'as-data' | 'weighted' | 'unknown-song';

/** The service under check. Each call is made once, and all rules see the same reply. */
export interface Probe {
  service: ServiceName;
  /** Path of the service's work: `/separate`. */
  path: string;
  /** Id of the job of this check, unique. */
  jobId: string;
  files: FileServer;
  /** Sends a request. */
  send(method: string, path: string, body?: string): Promise<Reply>;
  /** POSTs a body of the service's own request as JSON, once for each name. */
  post(name: CallName, body: unknown): Promise<Reply>;
  /** The reply to the valid request. @throws NotChecked if the service did not accept it */
  work(): Promise<Reply>;
}

/** @throws Fault unless `holds` */
export function expect(holds: boolean, fault: string): asserts holds {
  if (!holds) throw new Fault(fault);
}
