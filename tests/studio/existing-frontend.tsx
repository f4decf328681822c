/** The hooks and components as an existing frontend uses them: its props, nothing of ours beside the provider. */
import { renderToStaticMarkup } from 'react-dom/server';
import { createClient } from '@supabase/supabase-js';
import {
  AudioAnalysisDisplay,
  ClaudeCollaboration,
  ClaudeMonitor,
  CompatibilityScore,
  MashabilityDisplay,
  MashupTimeline,
  MashupZone,
  TrackAnalysisDisplay,
  useAudioAnalysis,
  useMashupGenerator,
  StudioProvider,
} from '../../studio/src/index.ts';
import type { MashupSection } from '../../music/timeline.ts';
import type { SongAnalysis } from '../../schema.ts';

const supabase = createClient('http://127.0.0.1:9', 'anon', { auth: { persistSession: false } });
const nothing = (): void => {};

/** Members of what the hooks answer, with their types' names. */
export function hookMembers(): Record<'generator' | 'analysis', Record<string, string>> {
  const members = { generator: {}, analysis: {} } as ReturnType<typeof hookMembers>;
  const typesOf = (value: object): Record<string, string> =>
    Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        Array.isArray(member) ? 'array' : member instanceof Map ? 'map' : member === null ? 'null' : typeof member,
      ]),
    );
  function Probe() {
    members.generator = typesOf(useMashupGenerator());
    members.analysis = typesOf(useAudioAnalysis());
    return null;
  }
  renderToStaticMarkup(
    <StudioProvider supabase={supabase}>
      <Probe />
    </StudioProvider>,
  );
  return members;
}

export const render = {
  zone: (): string =>
    renderToStaticMarkup(
      <StudioProvider supabase={supabase}>
        <MashupZone
          selectedSongs={[
            { id: 'a', name: 'First', artist: 'One' },
            { id: 'b', name: 'Second', artist: 'Two', storage_path: 'uploads/x/b/second.mp3' },
          ]}
          onRemoveSong={nothing}
          onClearAll={nothing}
          onSongAdd={nothing}
          allSongs={[]}
          className="theirs"
        />
      </StudioProvider>,
    ),
  timeline: (timeline: MashupSection[]): string => renderToStaticMarkup(<MashupTimeline timeline={timeline} />),
  track: (analysis: SongAnalysis): string => renderToStaticMarkup(<TrackAnalysisDisplay analysis={analysis} />),
  compatibility: (score: number): string =>
    renderToStaticMarkup(
      <CompatibilityScore score={score} reasons={['Far']} suggestions={['Shift']} className="theirs" />,
    ),
  monitor: (): string => renderToStaticMarkup(<ClaudeMonitor plan={['Intro']} thoughts="Calm first" />),
  collaboration: (): string =>
    renderToStaticMarkup(
      <ClaudeCollaboration
        mashupConcept="A concept"
        analysisData={[undefined]}
        quickSuggestions={['Louder']}
        onIterationRequest={async () => {}}
      />,
    ),
  mashability: (): string =>
    renderToStaticMarkup(
      <MashabilityDisplay
        mashabilityResult={{ overall_score: 71.26, breakdown: { harmonic: 80 } }}
        onWeightsChange={nothing}
      />,
    ),
  features: (): string =>
    renderToStaticMarkup(
      <AudioAnalysisDisplay
        features={{
          tempo: 128,
          energy: 0.5,
          danceability: 0.5,
          valence: 0.5,
          speechiness: 0.5,
          acousticness: 0.5,
          genre: 'A minor',
        }}
      />,
    ),
};
