import { CONTENT_CASES } from '../../bench/hard-material/cases/content.ts';
import { testCases } from './test-cases.ts';

testCases(CONTENT_CASES);
