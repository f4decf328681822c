import type { ReactNode } from 'react';
import { fromLines } from '../../../../music/texts/lines.ts';
import { restateKey } from '../../../../music/theory/key-text.ts';
import { MusicText } from '../common/MusicText.tsx';
import type { Plan } from '../../../../schema.ts';

/** The reasons of a plan: its vision, and each problem with its solution. */
export function Decisions({
  plan,
  changes,
  isNewVersion,
  concept,
  soundingKey = '',
  corrections = [],
  children,
}: {
  plan: Plan;
  /** Key in which the mashup sounds: texts of the plan name this one. */
  soundingKey?: string;
  /** What the renderer changed after failed quality checks. */
  corrections?: readonly string[];
  /** What changed, one sentence a line. */
  changes: string | null;
  isNewVersion: boolean;
  /** The concept that the page shows already; it is not repeated. */
  concept: string;
  /** What became of the wishes. */
  children?: ReactNode;
}) {
  const { problems_and_solutions: problems, artistCredits, global } = plan.masterplan;
  const vision = restateKey(plan.creative_vision, global.targetKey, soundingKey);
  return (
    <section className="panel" aria-label="Decisions">
      <h2 className="text-lg font-semibold">Why it sounds like this</h2>
      {vision !== concept && (
        <p className="mt-2 text-sm leading-relaxed">
          <MusicText text={vision} />
        </p>
      )}
      {changes && <Changes sentences={fromLines(changes)} isNewVersion={isNewVersion} />}
      {children}
      {problems.length > 0 && (
        <ul className="mt-4 space-y-3 text-sm">
          {problems.map(({ problem, solution }) => (
            <li key={problem + solution}>
              <p className="font-medium">
                <MusicText text={problem} />
              </p>
              <p className="text-soft">
                <MusicText text={solution} />
              </p>
            </li>
          ))}
        </ul>
      )}
      {corrections.length > 0 && <Corrections sentences={corrections} />}
      {artistCredits !== '' && <p className="mt-4 text-xs text-soft">Credits: {artistCredits}</p>}
    </section>
  );
}

/** What differs from the version before, or what became of the wishes of a first one. */
function Changes({ sentences, isNewVersion }: { sentences: readonly string[]; isNewVersion: boolean }) {
  return (
    <div className="mt-3 rounded-xl bg-raised/60 p-3 text-sm">
      <h3 className="font-medium">{isNewVersion ? 'Changed in this version' : 'Your wishes'}</h3>
      <ul className="mt-1 list-disc space-y-1 pl-4">
        {sentences.map((sentence) => (
          <li key={sentence}>
            <MusicText text={sentence} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What the renderer changed after failed quality checks. */
function Corrections({ sentences }: { sentences: readonly string[] }) {
  return (
    <div className="mt-4 text-sm">
      <h3 className="font-medium">Corrected while rendering</h3>
      <ul className="list-disc pl-4 text-soft">
        {sentences.map((sentence) => (
          <li key={sentence}>
            <MusicText text={sentence} />
          </li>
        ))}
      </ul>
    </div>
  );
}
