/** The checks of a finished file against the order. */
import type { OutputFormat, QualityCheck } from '../../../schema.ts';
import type { FileMeasurement } from '../measure/file.ts';
import { check } from './checks.ts';

/** Integrated loudness of a mashup. */
export const TARGET_LUFS = -14;

/**
 * Checks a file.
 * @param format the format of the file
 * @param ordered length in seconds and format of the order; a member that is left out is not checked
 */
export function checkFile(
  file: FileMeasurement,
  format: string,
  ordered: { durationSec?: number; format?: OutputFormat },
): QualityCheck[] {
  const { durationSec } = ordered;
  return [
    check('loudness', Math.abs(file.loudness_lufs - TARGET_LUFS)),
    check('true_peak', file.true_peak_dbtp),
    check('clipping', file.clipped),
    check('gap', file.longest_gap_sec),
    check('silence_start', file.silence_start_sec),
    check('silence_end', file.silence_end_sec),
    check('side_balance', file.side_balance_db),
    check('splice_clicks', file.clicks),
    check(
      'length',
      durationSec === undefined ? null : 100 * Math.abs(file.duration_sec / Math.max(durationSec, 1e-6) - 1),
    ),
    check('format', ordered.format === undefined ? null : Number(format === ordered.format)),
  ];
}
