/** The command `models` with a catalogue of a test: `node models-main.ts CATALOG.json models …`. */
import { readFileSync } from 'node:fs';
import { addModels } from '../../cli/commands/models.ts';
import { createProgram, runProgram } from '../../cli/program.ts';
import type { ModelCatalog } from '../../services/separation/models/known.ts';

const [file = ''] = process.argv.splice(2, 1);
const program = createProgram();
addModels(program, JSON.parse(readFileSync(file, 'utf8')) as ModelCatalog);
await runProgram(program);
