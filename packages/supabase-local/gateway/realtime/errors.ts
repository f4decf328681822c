/** A refusal whose text the client is shown. */
export class RealtimeRefusal extends Error {
  readonly code = 'realtime_refused';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RealtimeRefusal';
  }
}
