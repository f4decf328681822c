import { Icon } from '@mashup-engine/react/kit';

const STEPS = [
  ['wave', 'Listen', 'Tempo, beats, key, sections and voices of each song, and how well they go together.'],
  ['plan', 'Arrange', 'A plan with a reason for each decision: who sings, who plays, where it drops.'],
  ['note', 'Render', 'Stems on one beat grid in one key, mixed and mastered. Then you ask for changes.'],
] as const;

/** An introduction for first-time users: what happens to the songs. */
export function Steps() {
  return (
    <section aria-labelledby="steps" className="border-t border-line pt-8">
      <h2 id="steps" className="sr-only">
        How it works
      </h2>
      <ol className="grid gap-x-8 gap-y-6 sm:grid-cols-3">
        {STEPS.map(([icon, title, text]) => (
          <li key={title} className="flex gap-3">
            <Icon name={icon} className="mt-0.5 h-5 w-5 text-accent" />
            <div>
              <h3 className="font-semibold">{title}</h3>
              <p className="mt-1 text-sm leading-relaxed text-soft">{text}</p>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
