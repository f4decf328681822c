import { DELIVERY_CASES } from '../../bench/hard-material/cases/delivery.ts';
import { testCases } from './test-cases.ts';

testCases(DELIVERY_CASES);
