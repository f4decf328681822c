import type { StudioConfig } from '../config.ts';

export default function OperatorPage({ config }: { config: StudioConfig }) {
  return <p>{config.url}</p>;
}
