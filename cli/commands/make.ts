/** `mashup make`: makes a mashup of song files. */
import type { Command } from 'commander';
import { submitMashup } from '@mashup-engine/client';
import type { MashupOptions } from '@mashup-engine/client';
import { readStack } from '../../local/index.ts';
import { parseClock } from '../../music/plan/clock.ts';
import { MashupLength, SeparationChoice, SubmittedOptions } from '../../schema.ts';
import { connect, signIn } from '../connect.ts';
import type { StackOptions } from '../connect.ts';
import { addDeliveryOptions, deliver, withDelivery } from '../deliver.ts';
import type { Delivered, Delivery, DeliveryOptions } from '../deliver.ts';
import { setting } from '../environment.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { choice } from '../options.ts';
import type { StemOptions } from '../own-stems.ts';
import type { Display } from '../progress/display.ts';
import { fetchModels, separatorText } from '../separation-service.ts';
import { SONG_FORMATS } from '../songs.ts';
import { readSongs, uploadSongs } from '../upload-songs.ts';
import type { SongToUpload } from '../upload-songs.ts';

interface MakeOptions extends StackOptions, StemOptions, DeliveryOptions {
  length: string;
  wishes?: string;
  separation?: string;
  studioVersion?: boolean;
}

/** Adds the command to the program. */
export function addMake(program: Command): void {
  const command = program
    .command('make')
    .description('make a mashup of two or three songs')
    .argument('<songs...>', `two or three audio files (${SONG_FORMATS}), or folders with the stems of a song`);
  addDeliveryOptions(command)
    .option(
      '--length <length>',
      'short (about 1:30), full (2:00 to 3:30, as long as the songs bear), or exact as 1:45 or 105 seconds (0:20 to 10:00)',
      'short',
    )
    .option('--wishes <text>', 'wishes for the mashup, in words')
    .addOption(
      choice(
        '--separation <method>',
        'what separates the songs (default: auto, the model that `mashup models use` chose, otherwise classical)',
        SeparationChoice.options,
      ),
    )
    .option('--studio-version', 'make it with classical stems first, then once more with those of the model')
    .option('--no-studio-version', 'make it once, with the stems of the model')
    .option('--stems <song=folder>', 'stems of your own for a song (its number or file name); may be repeated', collect)
    .option('--vocals <song=file>', 'an acapella of your own for a song; may be repeated', collect)
    .option('--instrumental <song=file>', 'an instrumental of your own for a song; may be repeated', collect)
    .action(async (songs: string[], _options: unknown, command: Command) => {
      await make(songs, command.optsWithGlobals<MakeOptions>());
    });
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

async function make(paths: string[], options: MakeOptions): Promise<void> {
  const wanted = checkOptions(options);
  await withDelivery(options, async (delivery) => {
    const { display, signal } = delivery;
    display.step('Checking the songs');
    const songs = await readSongs(paths, options, { tell: (line) => display.step(line), signal });
    signal.throwIfAborted();
    return makeFrom(songs, wanted, options, delivery);
  });
}

/** What an option must be, by the member of the request. */
const OPTION_FAULTS: Record<string, string> = {
  length_sec: '--length must be short, full, or a length from 0:20 to 10:00, such as 1:45 or 105.',
  wishes: '--wishes must have at most 500 characters.',
};

function checkOptions(options: MakeOptions): MashupOptions {
  const { length, wishes, separation, studioVersion: studio_version } = options;
  const named = MashupLength.safeParse(length).data;
  const wanted = named ? { length: named } : { length_sec: parseClock(length) ?? NaN };
  const parsed = SubmittedOptions.safeParse({ ...wanted, wishes, separation, studio_version });
  if (parsed.success) {
    const { data } = parsed;
    return {
      length: data.length,
      lengthSec: data.length_sec,
      wishes: data.wishes,
      separation: data.separation,
      studioVersion: data.studio_version,
    };
  }
  const name = String(parsed.error.issues[0]?.path[0]);
  throw new CliError(
    'bad_option',
    OPTION_FAULTS[name] ?? `${name} is not valid.`,
    'Correct it, or omit it.',
    EXIT_USAGE,
  );
}

async function makeFrom(
  songs: SongToUpload[],
  wanted: MashupOptions,
  options: MakeOptions,
  delivery: Delivery,
): Promise<Delivered> {
  const { display, signal, target } = delivery;
  display.step('Connecting');
  const connection = await connect(options, { log: (line) => display.step(line), signal });
  const { supabase } = connection;
  try {
    await tellSeparator(options, wanted.separation, display);
    await signIn(supabase);
    const uploaded = await uploadSongs(supabase, songs, (line) => display.step(line), signal);
    const submit = { ...wanted, format: target.format, signal };
    return await deliver(supabase, () => submitMashup(supabase, uploaded, submit), delivery);
  } finally {
    if (connection.isOwn) display.step('Stopping the local stack');
    await connection.close();
  }
}

/**
 * Says which separator the local stack uses.
 * @throws CliError `model_missing` if a model was asked for and there is none
 */
async function tellSeparator(
  options: MakeOptions,
  wanted: MashupOptions['separation'],
  display: Display,
): Promise<void> {
  const stack = setting('SUPABASE_URL') === undefined ? readStack(options.dataDir) : undefined;
  const models = stack && (await fetchModels(stack.services.separation));
  if (models === undefined) return;
  if (wanted !== 'neural')
    return display.step(`Separator: ${wanted === 'classical' ? models.classical : separatorText(models)}`);
  if (models.neural !== null) return display.step(`Separator: ${models.neural}`);
  throw new CliError(
    models.fault?.code ?? 'model_missing',
    models.fault?.message ?? 'There is no separation model, and --separation neural asks for one.',
    models.fault?.hint ?? 'Install one: `mashup models install htdemucs`.',
  );
}
