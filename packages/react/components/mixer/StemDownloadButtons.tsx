import type { MashupJob, ReadyStems } from '@mashup-engine/client';
import { stemTitle } from '../../../../music/theory/stem-texts.ts';
import { megabytes } from '../../texts.ts';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import { useStemDownloads } from './useStemDownloads.ts';

/** Saves the stems of a mashup for a DAW: all of them in a ZIP file, or one. */
export function StemDownloadButtons({ job, stems }: { job: MashupJob; stems: ReadyStems }) {
  const { downloadAll, downloadOne, progress, problem } = useStemDownloads(job, stems);
  const isBusy = progress !== undefined;
  const nameOf = (songId: string): string => job.songs.find((song) => song.songId === songId)?.name ?? 'Song';
  return (
    <div className="space-y-2" data-testid="stem-downloads">
      <div className="flex flex-wrap items-center gap-2">
        <button type="button" className="button" disabled={isBusy} onClick={() => void downloadAll()}>
          <Icon name="download" />
          <span aria-live="polite">
            {isBusy
              ? `Loading, ${Math.round(100 * progress)} %`
              : `All stems · ZIP · ${megabytes(stems.files.reduce((sum, { bytes }) => sum + bytes, 0))}`}
          </span>
        </button>
        <details className="text-sm">
          <summary className="cursor-pointer text-soft">One stem</summary>
          <ul className="mt-2 flex flex-wrap gap-2">
            {stems.files.map((file) => (
              <li key={file.path}>
                <button type="button" className="button" disabled={isBusy} onClick={() => void downloadOne(file)}>
                  <Icon name="download" />
                  {`${nameOf(file.songId)} · ${stemTitle(file.stem)}`}
                </button>
              </li>
            ))}
          </ul>
        </details>
      </div>
      <p className="text-sm text-soft">
        FLAC, as long as the mashup and aligned with it: in a DAW they sum to it
        {stems.levelDb < 0 ? `, ${(-stems.levelDb).toFixed(1)} dB lower` : ''}.
      </p>
      {problem && <Notice problem={problem} />}
    </div>
  );
}
