/** The script of the page of a shared mashup: puts the player and the timeline in the place of what works without scripts. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LISTEN_ID, PAGE_DATA_ID } from '@mashup-engine/client/share-pages';
import type { SharePageData } from '@mashup-engine/client/share-pages';
import { SharedMashup } from './SharedMashup.tsx';
import './page.css';

const place = document.getElementById(LISTEN_ID);
const data = document.getElementById(PAGE_DATA_ID)?.textContent;
if (place && data) {
  createRoot(place).render(
    <StrictMode>
      <SharedMashup data={JSON.parse(data) as SharePageData} />
    </StrictMode>,
  );
}
