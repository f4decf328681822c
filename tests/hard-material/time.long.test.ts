import { TIME_CASES } from '../../bench/hard-material/cases/time.ts';
import { testCases } from './test-cases.ts';

testCases(TIME_CASES);
