/** Sample rate of all decoded audio, Hz. */
export const SAMPLE_RATE = 44_100;
