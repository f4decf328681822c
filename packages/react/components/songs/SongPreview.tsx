import { useMemo } from 'react';
import { BUCKET } from '../../../../schema/constants.ts';
import type { OpenSound } from '../../audio/preview.ts';
import type { StudioSong } from '../../state/songs.ts';
import { useStudio } from '../../state/studio.tsx';
import type { Upload } from '../../state/uploads.ts';
import { PreviewButton } from '../common/PreviewButton.tsx';

/** Life of a link in seconds. */
const LINK_SECONDS = 3600;

/** Plays a selected song: its file, or its upload after a reload of the page or where the browser cannot play the file. */
export function SongPreview({ song, upload }: { song: StudioSong; upload: Upload | undefined }) {
  const { supabase } = useStudio();
  const { file } = song;
  const path = song.storage_path ?? upload?.submitted?.storagePath;
  const sources = useMemo(
    (): OpenSound[] => [
      ...(file === undefined ? [] : [() => Promise.resolve(linkTo(file))]),
      ...(path === undefined
        ? []
        : [
            async () => {
              const { data } = await supabase.storage.from(BUCKET).createSignedUrl(path, LINK_SECONDS);
              return data === null ? undefined : { url: data.signedUrl };
            },
          ]),
    ],
    [supabase, file, path],
  );
  if (sources.length === 0) return null;
  return <PreviewButton name={song.name} sources={sources} />;
}

/** A link to a file on this machine. */
function linkTo(file: File): { url: string; close: () => void } {
  const url = URL.createObjectURL(file);
  return { url, close: () => URL.revokeObjectURL(url) };
}
