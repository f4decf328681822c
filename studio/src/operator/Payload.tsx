/** A stored document as JSON, folded at first. */
export function Payload({ name, value }: { name: string; value: object }) {
  return (
    <details>
      <summary className="cursor-pointer text-xs text-soft">{name}</summary>
      <pre className="mt-1 overflow-x-auto rounded-lg bg-raised p-2 text-xs" tabIndex={0}>
        {JSON.stringify(value, null, 2)}
      </pre>
    </details>
  );
}
