import { METER_CASES } from '../../bench/hard-material/cases/time-meter.ts';
import { testCases } from './test-cases.ts';

testCases(METER_CASES);
