/** The audio services of this repository, for the benches. */
import { createAnalysisServer } from '../services/analysis/server.ts';
import { createProcessingServer } from '../services/processing/server/server.ts';
import { createSeparationServer } from '../services/separation/server.ts';
import { fileServer, listen } from './store.ts';

/** URLs of the services and of a file store. */
export type AudioServices = { store: string; analysis: string; separation: string; processing: string };

/** Starts the services and a store of `files`, runs `work` and closes them. */
export async function withAudioServices<T>(
  files: Map<string, Uint8Array>,
  work: (services: AudioServices) => Promise<T>,
): Promise<T> {
  const servers = [fileServer(files), createAnalysisServer(), createSeparationServer(), createProcessingServer()];
  const [store = '', analysis = '', separation = '', processing = ''] = await Promise.all(servers.map(listen));
  try {
    return await work({ store, analysis, separation, processing });
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}
