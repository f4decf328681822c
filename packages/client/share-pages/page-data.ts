/** What the HTML of a page tells its script. */
import type { SharedMashup } from './shared-mashup.ts';

/** Id of the element of the page that has the data, as JSON. */
export const PAGE_DATA_ID = 'shared-mashup';
/** Id of the element whose content the script replaces by the player and the timeline. */
export const LISTEN_ID = 'listen';

/** Data of the script of a page. */
export interface SharePageData extends Pick<SharedMashup, 'title' | 'songs' | 'durationSec' | 'timeline' | 'peaks'> {
  /** Leads to the sound by a redirect to a link that is valid for a minute. */
  audioUrl: string;
  /** The cover, which the system shows while the sound plays. */
  coverUrl: string;
  /** Whether the page is shown in a frame of another site, without a timeline. */
  isEmbed: boolean;
}
