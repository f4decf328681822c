/** The plan and its idea, while the mashup is being made. */
export function ClaudeMonitor({ plan, thoughts }: { plan: string[]; thoughts: string }) {
  return (
    <section aria-label="The plan" className="mashup-ui rounded-xl bg-raised/60 p-4" data-testid="monitor">
      <h3 className="label">The plan</h3>
      {thoughts !== '' && <p className="mt-2 text-sm leading-relaxed">{thoughts}</p>}
      {plan.length > 0 && (
        <ol className="mt-3 space-y-1 text-sm text-soft">
          {plan.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ol>
      )}
    </section>
  );
}
