/** Largest file of a stem: 15 minutes of 24-bit stereo as WAV, from services that know no parts. */
export const MAX_STEM_BYTES = 256 * 1024 * 1024;
