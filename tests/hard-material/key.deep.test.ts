import { KEY_SET_CASES } from '../../bench/hard-material/cases/key.ts';
import { testCases } from './test-cases.ts';

testCases(KEY_SET_CASES);
