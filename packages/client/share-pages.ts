/**
 * The public pages of shared mashups, for whatever hosts the studio: a handler of web-standard requests, for Node, Deno and edge
 * hosts.
 */
export { createSharePages } from './share-pages/handler.ts';
export type { SharePages, SharePagesOptions } from './share-pages/handler.ts';
export { LISTEN_ID, PAGE_DATA_ID } from './share-pages/page-data.ts';
export type { SharePageData } from './share-pages/page-data.ts';
export type { SharedMashup, SharedSong } from './share-pages/shared-mashup.ts';
