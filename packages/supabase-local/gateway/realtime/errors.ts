/** An error whose message is sent to the client. */
export class RealtimeError extends Error {
  readonly code = 'realtime_error';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RealtimeError';
  }
}
