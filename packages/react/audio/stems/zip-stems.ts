/** The files of the stems of a mashup, for downloads: each as one FLAC file, or all of them in a ZIP file. */
import { makeZip } from 'client-zip';
import { stemFileName } from '@mashup-engine/client';
import type { MashupJob, MashupStemFile, ReadyStems } from '@mashup-engine/client';
import { joinFlac } from '../../../../audio/encode/flac-join.ts';

/** Reads a part of a stem. It may repeat by itself. */
export type ReadPart = (file: MashupStemFile, index: number) => Promise<ArrayBuffer>;

/** What files are made of. `onProgress` receives the share of bytes that have been read, 0..1. */
export type StemSource = {
  job: Pick<MashupJob, 'songs'>;
  stems: ReadyStems;
  readPart: ReadPart;
  onProgress?: (share: number) => void;
};

/** Reads a stem as one file. @throws MashupClientError of `readPart`, AudioError for a damaged part */
export async function readStemFile(
  { stems, readPart }: Pick<StemSource, 'stems' | 'readPart'>,
  file: MashupStemFile,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for (const index of stems.ends.keys()) {
    const part = new Uint8Array(await readPart(file, index));
    onBytes(part.length);
    parts.push(part);
  }
  return joinFlac(parts);
}

/** Reads stems one after the other into a ZIP file, without compression: FLAC is compressed. At most one stem is held besides the file. */
export function zipStems({ job, stems, readPart, onProgress }: StemSource): Promise<Blob> {
  const total = stems.files.reduce((sum, { bytes }) => sum + bytes, 0);
  let read = 0;
  const onBytes = (bytes: number): void => onProgress?.(Math.min(1, (read += bytes) / total));
  async function* files(): AsyncGenerator<{ name: string; input: Uint8Array<ArrayBuffer>; lastModified: Date }> {
    for (const file of stems.files) {
      const input = await readStemFile({ stems, readPart }, file, onBytes);
      yield { name: stemFileName(job, file, 'flac'), input, lastModified: new Date(stems.madeAt) };
    }
  }
  return new Response(makeZip(files()), { headers: { 'content-type': 'application/zip' } }).blob();
}
