/** Byte signatures of file formats. */

/** True if the characters of `text` (Latin-1) are at byte `offset` of `bytes`. */
export function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  if (offset + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** True for a RIFF, RIFX, RF64 or BW64 file of type WAVE. */
export function isWav(bytes: Uint8Array, at = 0): boolean {
  return ['RIFF', 'RIFX', 'RF64', 'BW64'].some((mark) => hasText(bytes, at, mark)) && hasText(bytes, at + 8, 'WAVE');
}

/** True for an AIFF or AIFF-C file. */
export function isAiff(bytes: Uint8Array, at = 0): boolean {
  return hasText(bytes, at, 'FORM') && (hasText(bytes, at + 8, 'AIFF') || hasText(bytes, at + 8, 'AIFC'));
}

/** True for MP4 and QuickTime files: old ones have no `ftyp`. */
export function isMp4(bytes: Uint8Array, at = 0): boolean {
  return ['ftyp', 'moov', 'wide', 'mdat'].some((type) => hasText(bytes, at + 4, type));
}
