import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { StudioProvider } from '@mashup-engine/react';
import { App } from './App.tsx';
import { loadConfig } from './config.ts';
import { createStudioClient } from './supabase.ts';

const element = document.getElementById('root') as HTMLElement;
const root = createRoot(element);

try {
  const config = await loadConfig();
  root.render(
    <StrictMode>
      <StudioProvider supabase={createStudioClient(config)} shareUrl={config.shareUrl}>
        <App config={config} />
      </StudioProvider>
    </StrictMode>,
  );
} catch (error) {
  root.render(
    <main className="mx-auto max-w-xl p-8" role="alert">
      <h1 className="text-xl font-semibold">The studio cannot start</h1>
      <p className="mt-2 text-soft">{error instanceof Error ? error.message : 'Reload the page.'}</p>
    </main>,
  );
}
