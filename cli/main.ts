#!/usr/bin/env node
/** `mashup`: the command line. Each command has its own file; each error is shown as one line with a hint. */
import { addCommands } from './commands.ts';
import { createProgram, runProgram } from './program.ts';

const program = createProgram();
await addCommands(program, process.argv);
await runProgram(program);
