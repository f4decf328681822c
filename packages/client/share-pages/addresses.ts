/** Addresses of a shared mashup. */
import { functionUrl } from './read-share.ts';

/** Width and height of the cover, in pixels. */
export const COVER_SIZE = { width: 1200, height: 630 };
/** Height of the embedded player, in CSS pixels. Its width is that of the frame. */
export const EMBED_HEIGHT = 180;

/** Addresses of a page. Those that other programs read are absolute; those of the studio's files are paths. */
export interface Addresses {
  page: string;
  embed: string;
  audio: string;
  cover: string;
  /** The studio. */
  studio: string;
  script: string;
  style: string;
  /** Script that chooses the colours before the first paint. */
  theme: string;
  icon: string;
}

/** Place of the studio. */
export interface StudioPlace {
  origin: string;
  /** Path without a slash at its end: '' or `/studio`. */
  folder: string;
}

/** Returns the addresses for a token. */
export function addressesOf({ origin, folder }: StudioPlace, supabaseUrl: string, token: string): Addresses {
  return {
    page: `${origin}${folder}/s/${token}`,
    embed: `${origin}${folder}/embed/${token}`,
    audio: functionUrl(supabaseUrl, 'shared-audio', token),
    cover: functionUrl(supabaseUrl, 'shared-cover', token),
    studio: `${folder}/`,
    script: `${folder}/share/page.js`,
    style: `${folder}/share/page.css`,
    theme: `${folder}/theme.js`,
    icon: `${folder}/icon.svg`,
  };
}
