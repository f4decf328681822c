import { LEVEL_MASHUP_CASES } from '../../bench/hard-material/cases/levels.ts';
import { testCases } from './test-cases.ts';

testCases(LEVEL_MASHUP_CASES);
