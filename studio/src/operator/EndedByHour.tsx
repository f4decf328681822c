import type { Hour } from './types.ts';

/** Parts of a bar from bottom to top, with their colours. */
const PARTS = [
  ['complete', 'bg-good'],
  ['cancelled', 'bg-soft'],
  ['failed', 'bg-bad'],
] as const;

const hourOf = (time: string): string => `${new Date(time).getHours()}:00`;
const sumOf = (hour: Hour): number => PARTS.reduce((sum, [part]) => sum + hour[part], 0);

function hourText(hour: Hour): string {
  const parts = PARTS.filter(([part]) => hour[part] > 0).map(([part]) => `${hour[part]} ${part}`);
  return `${hourOf(hour.from)} ${parts.join(', ') || 'none'}`;
}

/** Jobs that ended in each hour of the last day, by their final stage: one bar for each hour. */
export function EndedByHour({ hours }: { hours: Hour[] }) {
  const most = Math.max(0, ...hours.map(sumOf));
  const total = (part: (typeof PARTS)[number][0]): number => hours.reduce((sum, hour) => sum + hour[part], 0);
  return (
    <section className="panel" aria-label="Jobs by hour">
      <h2 className="font-semibold">Jobs that ended, by hour</h2>
      <p className="mt-1 text-sm text-soft">
        {PARTS.map(([part]) => `${total(part)} ${part}`).join(' · ')} in 24 hours, at most {most} in one hour.
      </p>
      <div
        role="img"
        aria-label={
          hours
            .filter((hour) => sumOf(hour) > 0)
            .map(hourText)
            .join('; ') || 'No job has ended.'
        }
        className="mt-3 flex h-24 items-end gap-px sm:gap-1"
      >
        {hours.map((hour) => (
          <div
            key={hour.from}
            title={hourText(hour)}
            data-testid="hour"
            className="flex h-full min-w-0 flex-1 flex-col-reverse rounded bg-raised/60"
          >
            {PARTS.map(([part, color]) => (
              <div key={part} className={color} style={{ height: `${(hour[part] / Math.max(1, most)) * 100}%` }} />
            ))}
          </div>
        ))}
      </div>
      <p aria-hidden="true" className="mt-1 flex justify-between text-xs text-soft">
        <span>{hours[0] && hourOf(hours[0].from)}</span>
        <span>now</span>
      </p>
      <ul className="mt-2 flex flex-wrap gap-x-4 text-xs text-soft" aria-label="Colours">
        {PARTS.map(([part, color]) => (
          <li key={part} className="flex items-center gap-1.5">
            <span aria-hidden="true" className={`h-2 w-2 rounded-full ${color}`} />
            {part}
          </li>
        ))}
      </ul>
    </section>
  );
}
