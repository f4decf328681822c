/** The hooks and components as an existing frontend uses them: with its types and props, below the provider. */
import type { ComponentType } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { JobActions } from '../../packages/react/components/progress/JobActions.tsx';
import { Countdown } from '../../packages/react/components/progress/Countdown.tsx';
import { createClient } from '@supabase/supabase-js';
import type { MashupJob } from '@mashup-engine/client';
import * as studio from '@mashup-engine/react';
import { Warnings } from '@mashup-engine/react/kit';
import type { ExistingAnalyzer, ExistingGenerator, ExistingProps } from './contract-types.ts';

const supabase = createClient('http://127.0.0.1:9', 'anon', { auth: { persistSession: false } });

type Components = { [Name in keyof ExistingProps]: ComponentType<ExistingProps[Name]> };
/** Does not compile if a component requires more props than the existing frontend gives, or accepts fewer. */
const components: Components = studio;
const useGenerator: () => ExistingGenerator = studio.useMashupGenerator;
const useAnalyzer: () => ExistingAnalyzer = studio.useAudioAnalysis;

/** Renders a component with the existing frontend's props as HTML. */
export function render<Name extends keyof ExistingProps>(name: Name, props: ExistingProps[Name]): string {
  const Component = components[name] as ComponentType<object>;
  return renderToStaticMarkup(
    <studio.StudioProvider supabase={supabase}>
      <Component {...props} />
    </studio.StudioProvider>,
  );
}

/** Returns what the hooks return at first. */
export function hooks(): { generator: ExistingGenerator; analyzer: ExistingAnalyzer } {
  let returned: ReturnType<typeof hooks> | undefined;
  function Probe() {
    returned = { generator: useGenerator(), analyzer: useAnalyzer() };
    return null;
  }
  renderToStaticMarkup(
    <studio.StudioProvider supabase={supabase}>
      <Probe />
    </studio.StudioProvider>,
  );
  if (returned === undefined) throw new Error('The probe was not rendered.');
  return returned;
}

/** Renders the warnings of a job as HTML. */
export function renderWarnings(job: MashupJob): string {
  return renderToStaticMarkup(<Warnings job={job} />);
}

/** Renders the actions on a job as HTML. */
export function renderActions(job: MashupJob): string {
  const nothing = (): Promise<void> => Promise.resolve();
  const generator = { cancel: nothing, retry: nothing, isLive: true };
  return renderToStaticMarkup(<JobActions job={job} generator={generator} onStartOver={() => {}} onOpen={() => {}} />);
}

/** The remaining time of a job, or why it is not known. */
export function renderCountdown(job: MashupJob): string {
  return renderToStaticMarkup(<Countdown job={job} />);
}
