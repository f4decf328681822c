import type { Plan } from '../../../../schema.ts';

/** The reasons of a plan: its vision, and each problem with its solution. */
export function Decisions({
  plan,
  changes,
  concept,
}: {
  plan: Plan;
  changes: string | null;
  /** The concept that the page shows already; it is not repeated. */
  concept: string;
}) {
  const { problems_and_solutions: problems, artistCredits } = plan.masterplan;
  return (
    <section className="panel" aria-label="Decisions">
      <h2 className="text-lg font-semibold">Why it sounds like this</h2>
      {plan.creative_vision !== concept && <p className="mt-2 text-sm leading-relaxed">{plan.creative_vision}</p>}
      {changes && (
        <p className="mt-3 rounded-xl bg-raised/60 p-3 text-sm">
          <span className="font-medium">Changed in this version: </span>
          {changes}
        </p>
      )}
      {problems.length > 0 && (
        <ul className="mt-4 space-y-3 text-sm">
          {problems.map(({ problem, solution }) => (
            <li key={problem + solution}>
              <p className="font-medium">{problem}</p>
              <p className="text-soft">{solution}</p>
            </li>
          ))}
        </ul>
      )}
      {artistCredits !== '' && <p className="mt-4 text-xs text-soft">Credits: {artistCredits}</p>}
    </section>
  );
}
