import { SIGNAL_CASES } from '../../bench/hard-material/cases/signal.ts';
import { testCases } from './test-cases.ts';

testCases(SIGNAL_CASES);
