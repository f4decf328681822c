import { Payload } from './Payload.tsx';
import type { JobHistoryData } from './types.ts';

type Event = JobHistoryData['events'][number];

/** Shortens the id of an actor: `worker:f3c718b6-…` becomes `worker f3c718b6`. */
const shortActor = (actor: string): string => actor.replace(/:([0-9a-f]{8})-[0-9a-f-]{27}$/, ' $1');

/** The events of a job, with seconds since its start. */
export function EventList({ events }: { events: Event[] }) {
  return (
    <div>
      <h3 className="label">History</h3>
      <ol className="mt-2 space-y-1.5 text-sm">
        {events.map((event) => (
          <EventItem key={event.at + event.what + event.message} event={event} />
        ))}
      </ol>
    </div>
  );
}

function EventItem({ event }: { event: Event }) {
  return (
    <li className="grid grid-cols-[4rem_1fr] gap-2" data-testid="event">
      <span className="text-right text-soft">+{event.since_start_sec.toFixed(1)}</span>
      <div className="min-w-0">
        <span className="chip">{event.what}</span> {event.message}
        {event.song && !event.message.includes(event.song) && <span className="text-soft"> · {event.song}</span>}
        {event.actor && (
          <span className="text-xs text-soft" title={event.actor}>
            {' '}
            · {shortActor(event.actor)}
          </span>
        )}
        {event.detail && Object.keys(event.detail).length > 0 && <Payload name="Detail" value={event.detail} />}
      </div>
    </li>
  );
}
