/** Encodes MP3 beside the page, so that it stays awake. */
import { encodeMp3 } from '../../../services/audio/encode-mp3.ts';

export interface Mp3Request {
  channels: Float32Array[];
  sampleRate: number;
  title: string;
}

self.onmessage = ({ data }: MessageEvent<Mp3Request>) => {
  encodeMp3(data.channels, data.sampleRate, { title: data.title }).then(
    (bytes) => self.postMessage(bytes),
    () => self.postMessage(undefined),
  );
};
