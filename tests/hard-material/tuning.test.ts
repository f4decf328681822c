import { TUNING_CASES } from '../../bench/hard-material/cases/tuning.ts';
import { testCases } from './test-cases.ts';

testCases(TUNING_CASES);
