/** Faults of a plan and repairs made to it, as sentences that a planner can act on. */
export type PlanFindings = { faults: string[]; repairs: string[] };
