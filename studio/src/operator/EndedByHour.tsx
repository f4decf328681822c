import type { Hour } from './types.ts';

/** From the bottom of a bar to its top. */
const PARTS = [
  ['complete', 'bg-good'],
  ['cancelled', 'bg-soft'],
  ['failed', 'bg-bad'],
] as const;

const hourOf = (time: string): string => `${new Date(time).getHours()}:00`;
const sumOf = (hour: Hour): number => PARTS.reduce((sum, [part]) => sum + hour[part], 0);

function inWords(hour: Hour): string {
  const parts = PARTS.filter(([part]) => hour[part] > 0).map(([part]) => `${hour[part]} ${part}`);
  return `${hourOf(hour.from)} ${parts.join(', ') || 'none'}`;
}

/** Jobs that ended in each hour of the last day, by how they ended: a bar an hour. */
export function EndedByHour({ hours }: { hours: Hour[] }) {
  const most = Math.max(0, ...hours.map(sumOf));
  const total = (part: (typeof PARTS)[number][0]): number => hours.reduce((sum, hour) => sum + hour[part], 0);
  return (
    <section className="panel" aria-label="Jobs by hour">
      <h2 className="font-semibold">Jobs that ended, by hour</h2>
      <p className="mt-1 text-sm text-soft">
        {PARTS.map(([part]) => `${total(part)} ${part}`).join(' · ')} in 24 hours, at most {most} in one.
      </p>
      <div
        role="img"
        aria-label={
          hours
            .filter((hour) => sumOf(hour) > 0)
            .map(inWords)
            .join('; ') || 'No job has ended.'
        }
        className="mt-3 flex h-24 items-end gap-px sm:gap-1"
      >
        {hours.map((hour) => (
          <div
            key={hour.from}
            title={inWords(hour)}
            data-testid="hour"
            className="flex h-full min-w-0 flex-1 flex-col-reverse rounded bg-raised/60"
          >
            {PARTS.map(([part, looks]) => (
              <div key={part} className={looks} style={{ height: `${(hour[part] / Math.max(1, most)) * 100}%` }} />
            ))}
          </div>
        ))}
      </div>
      <p aria-hidden="true" className="mt-1 flex justify-between text-xs text-soft">
        <span>{hours[0] && hourOf(hours[0].from)}</span>
        <span>now</span>
      </p>
      <ul className="mt-2 flex flex-wrap gap-x-4 text-xs text-soft" aria-label="Colours">
        {PARTS.map(([part, looks]) => (
          <li key={part} className="flex items-center gap-1.5">
            <span aria-hidden="true" className={`h-2 w-2 rounded-full ${looks}`} />
            {part}
          </li>
        ))}
      </ul>
    </section>
  );
}
