/** Byte signatures of file formats. */

/** True if the characters of `text` (Latin-1) are at byte `offset` of `bytes`. */
export function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  if (offset + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** True for a RIFF or RF64 file of type WAVE. */
export function isWav(bytes: Uint8Array): boolean {
  return (hasText(bytes, 0, 'RIFF') || hasText(bytes, 0, 'RF64')) && hasText(bytes, 8, 'WAVE');
}
