import type { JobResult, MashupJob } from '@mashup-engine/client';
import type { OutputFormat } from '../../../../schema.ts';
import { fileName, megabytes } from '../../texts.ts';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import { ShareButton } from '../share/ShareButton.tsx';
import { useDownloads } from './useDownloads.ts';

/** Formats to which a result can be converted. An MP3 gains nothing from a larger file. */
const OTHER_FORMATS: Record<OutputFormat, readonly OutputFormat[]> = {
  wav: ['mp3', 'flac'],
  flac: ['mp3', 'wav'],
  mp3: [],
};

/** Saves the result, as rendered or converted, copies a link to it, or shares it. */
export function DownloadButtons({ job, result }: { job: MashupJob; result: JobResult }) {
  const title = job.title ?? 'Mashup';
  const { download, downloadAs, copyLink, encoding, isCopied, problem } = useDownloads(job, title, result.format);
  return (
    <>
      {job.resultPath !== null && (
        <div className="flex flex-wrap gap-2">
          <button
            type="button"
            className="button"
            onClick={() => void download()}
            title={fileName(title, result.format)}
          >
            <Icon name="download" />
            {result.format.toUpperCase()} · {megabytes(result.bytes)}
          </button>
          {OTHER_FORMATS[result.format].map((format) => (
            <button
              key={format}
              type="button"
              className="button"
              disabled={encoding !== undefined}
              onClick={() => void downloadAs(format)}
              title={fileName(title, format)}
            >
              <Icon name="download" />
              <span aria-live="polite">{encoding === format ? 'Encoding…' : format.toUpperCase()}</span>
            </button>
          ))}
          <button type="button" className="button" onClick={() => void copyLink()}>
            <Icon name="link" />
            <span aria-live="polite">{isCopied ? 'Link copied, valid for one hour' : 'Copy link to the file'}</span>
          </button>
          <ShareButton job={job} />
        </div>
      )}
      {problem && <Notice problem={problem} />}
    </>
  );
}
