/** A refusal whose text the client is shown. */
export class RealtimeError extends Error {
  readonly code = 'realtime_error';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RealtimeError';
  }
}
