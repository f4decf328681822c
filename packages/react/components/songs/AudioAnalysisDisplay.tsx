import { percent } from '../../texts.ts';

export interface AudioFeatures {
  tempo: number;
  energy: number;
  danceability: number;
  valence: number;
  speechiness: number;
  acousticness: number;
  genre: string;
}

const SHARES = ['energy', 'danceability', 'valence', 'speechiness', 'acousticness'] as const;

/** A song's features under the names of older frontends. */
export function AudioAnalysisDisplay({ features }: { features: AudioFeatures }) {
  return (
    <dl className="mashup-ui panel grid grid-cols-2 gap-3 text-sm sm:grid-cols-3" aria-label="Audio features">
      <div>
        <dt className="label">Tempo</dt>
        <dd>{Math.round(features.tempo)} bpm</dd>
      </div>
      <div>
        <dt className="label">Genre</dt>
        <dd>{features.genre}</dd>
      </div>
      {SHARES.map((name) => (
        <div key={name}>
          <dt className="label">{name}</dt>
          <dd>{percent(features[name])}</dd>
        </div>
      ))}
    </dl>
  );
}
