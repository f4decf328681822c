import { CONTAINER_CASES } from '../../bench/hard-material/cases/container.ts';
import { testCases } from './test-cases.ts';

testCases(CONTAINER_CASES);
