/** The checks of a finished file against what was asked for. */
import type { OutputFormat, QualityCheck } from '../../../schema.ts';
import { check } from './checks.ts';
import type { FileSound } from '../measure/file.ts';

const TARGET_LUFS = -14;

/** @param asked absent members are not known and not checked */
export function judgeFile(
  sound: FileSound,
  format: string,
  asked: { durationSec?: number; format?: OutputFormat },
): QualityCheck[] {
  const { durationSec } = asked;
  return [
    check('loudness', Math.abs(sound.loudness_lufs - TARGET_LUFS)),
    check('true_peak', sound.true_peak_dbtp),
    check('clipping', sound.clipped),
    check('gap', sound.longest_gap_sec),
    check('splice_clicks', sound.clicks),
    check(
      'length',
      durationSec === undefined ? null : 100 * Math.abs(sound.duration_sec / Math.max(durationSec, 1e-6) - 1),
    ),
    check('format', asked.format === undefined ? null : Number(format === asked.format)),
  ];
}
