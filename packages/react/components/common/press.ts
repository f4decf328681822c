/** Whether a click is the second one of a double click. It is no answer to what the first one asked. */
export const isDoubleClick = ({ detail }: { detail: number }): boolean => detail > 1;
