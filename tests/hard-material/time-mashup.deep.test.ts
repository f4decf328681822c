import { TIME_MASHUP_CASES } from '../../bench/hard-material/cases/time-mashup.ts';
import { testCases } from './test-cases.ts';

testCases(TIME_MASHUP_CASES);
