/** Saves files of the browser's user. */

/** Time for which a file is kept in memory. The browser has begun to save it by then. */
const KEEP_BLOB_MS = 60_000;

/** Saves what a link leads to. */
export function saveLink(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

/** Saves a file that was made in the page. */
export function saveBlob(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob);
  saveLink(href, name);
  setTimeout(() => URL.revokeObjectURL(href), KEEP_BLOB_MS);
}
