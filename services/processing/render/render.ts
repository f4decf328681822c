/**
 * A whole render: plan read, stems stretched, sections mixed, heard and if need be corrected, file finished; the steps in
 * threads, two at a time.
 */
import { type RenderRequest, type RenderResult, STEMS, type UploadTarget } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { addBed, arrange, type Arrangement } from '../plan/arrange.ts';
import { correct, isInTune } from '../corrections/shift-changes.ts';
import { type Findings, judgeLayers } from '../quality/check-layers.ts';
import type { LayerSound } from '../measure/layer.ts';
import type { Percussion } from '../measure/onsets.ts';
import { RenderError } from '../errors.ts';
import { curveAlong, gatherHearing, splicesOf, warnOfTempo } from '../quality/measurements.ts';
import type { HeardSong } from '../song/analyze-stems.ts';
import { readEffects } from '../plan/layer-effects.ts';
import { giveOwnHarmony } from '../corrections/own-harmony.ts';
import { readPlan, type RenderPlan } from '../plan/plan.ts';
import { type RenderedRun, RunStore } from './run-store.ts';
import { openScratch } from '../files/scratch.ts';
import type { ClipAudio, SectionResult, SectionTask } from '../sound/section.ts';
import { isWellKnown, missingStems, readSong, type RenderSong } from '../song/song.ts';
import { settleGrid } from '../song/align-grid.ts';
import { improve, type Take, type Way } from '../corrections/correction-search.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import { chooseTuning, shiftsOf, type Tuning } from '../plan/tuning.ts';

/** Where the steps lie between 0 and 100. */
const PROGRESS = { stems: 2, sections: 62, finish: 80, done: 99 };

export type ReportProgress = (progress: number, message: string) => void;

type Songs = ReadonlyMap<string, RenderSong>;

function needUpload(request: RenderRequest): UploadTarget {
  if (request.upload) return request.upload;
  throw new RenderError(
    'upload_missing',
    'There is no place to put the mashup',
    'Send upload: {path, url} with a signed URL that takes a PUT.',
  );
}

/** The tempi of a plan as one says them. */
function tempoWords({ sections }: RenderPlan): string {
  return `${[...new Set(sections.map(({ bpm }) => Math.round(bpm)))].join(' and ')} BPM`;
}

/** Songs that the plan uses; each must have the stems that its layers name. */
async function readSongs(
  request: RenderRequest,
  plan: RenderPlan,
  threads: RenderThreads,
  report: ReportProgress,
  warnings: string[],
): Promise<Map<string, RenderSong>> {
  const songs = new Map<string, RenderSong>();
  for (const sent of request.songs) {
    const layers = plan.sections.flatMap((section) => section.layers).filter((layer) => layer.songId === sent.song_id);
    if (layers.length === 0 || songs.has(sent.song_id)) continue;
    const name = sent.name ?? sent.song_id;
    if (layers.some((layer) => !sent.stems?.[layer.stem])) throw missingStems(name);
    let heard: HeardSong | undefined;
    if (!isWellKnown(sent)) {
      report(1, `Listening for the beats of ${name}`);
      const stems = STEMS.filter((stem) => sent.stems?.[stem] !== undefined);
      const places = stems.map((stem) => ({ url: sent.stems![stem]!, song: name, stem }));
      heard = await threads.run('listen', places);
    }
    const read = readSong(sent, heard, plan.bpm);
    warnings.push(...read.warnings);
    songs.set(sent.song_id, read.song);
  }
  return songs;
}

/** The strokes of those songs whose drums were sent, by song; with them each song's grid is put on its strokes. */
async function hearDrums(songs: Map<string, RenderSong>, threads: RenderThreads): Promise<Map<string, Percussion>> {
  const strokes = new Map<string, Percussion>();
  if (songs.size < 2) return strokes;
  await Promise.all(
    [...songs.values()].map(async (song) => {
      const url = song.stems.drums;
      const heard = url && (await threads.run('strokes', { url, song: song.name, stem: 'drums' }));
      if (!heard) return;
      strokes.set(song.id, heard);
      songs.set(song.id, { ...song, grid: settleGrid(song.grid, heard.attack, SAMPLE_RATE) });
    }),
  );
  return strokes;
}

function sectionTask(
  i: number,
  arrangement: Arrangement,
  plan: RenderPlan,
  songs: Songs,
  runs: ReadonlyMap<number, RenderedRun>,
  warnings: string[],
): SectionTask {
  const { start, end, bpm } = plan.sections[i]!;
  const clips = arrangement.sections[i]!.map((clip): ClipAudio => {
    const effects = readEffects(clip.effects);
    warnings.push(...effects.warnings);
    return {
      songId: clip.songId,
      stem: clip.stem,
      volumeDb: clip.volumeDb,
      effects: effects.effects,
      joinsPrevious: clip.joinsPrevious,
      joinsNext: clip.joinsNext,
      parts: clip.parts.map((part) => ({ ...runs.get(part.runId)!, start: part.start, end: part.end })),
      presence:
        clip.stem === 'vocals' ? curveAlong(songs.get(clip.songId)!, clip, arrangement, { start, end }) : undefined,
    };
  });
  return {
    start,
    end,
    bpm,
    beatsPerBar: plan.beatsPerBar,
    first: i === 0,
    last: i === plan.sections.length - 1,
    clips,
  };
}

/** Longest pause that a section may have. */
const MAX_PAUSE_SEC = 0.9;

/** One way of playing the plan, mixed and heard. */
type RecordedTake = Take & {
  arrangement: Arrangement;
  sections: SectionResult[];
  splices: number[];
  findings: Findings;
  warnings: string[];
};

type Studio = {
  songs: Songs;
  strokes: ReadonlyMap<string, Percussion>;
  store: RunStore;
  threads: RenderThreads;
  request: RenderRequest;
  report: ReportProgress;
};

async function record(studio: Studio, plan: RenderPlan, tuning: Tuning): Promise<RecordedTake> {
  const { songs, strokes, store, threads, request, report } = studio;
  const arrangement = arrange(plan, songs, request.scores ?? [], tuning);
  const warnings = [...arrangement.warnings];
  const runs = await store.render(arrangement.runs, songs, (song, { stem }, done, count) => {
    const progress = PROGRESS.stems + ((PROGRESS.sections - PROGRESS.stems) * done) / count;
    report(progress, `Matched the ${stem} of ${song.name} to ${tempoWords(plan)} (${done} of ${count})`);
  });
  // What decoding left in the threads' memory is not needed for mixing.
  threads.renew();

  const count = plan.sections.length;
  let done = 0;
  const mixSection = async (description: string, i: number): Promise<SectionResult> => {
    let mixed = await threads.run('section', sectionTask(i, arrangement, plan, songs, runs, warnings));
    if (mixed.longestPauseSec > MAX_PAUSE_SEC) {
      const bed = await store.render(addBed(arrangement, i, songs, tuning), songs);
      for (const [id, run] of bed) runs.set(id, run);
      if (bed.size > 0) {
        mixed = await threads.run('section', sectionTask(i, arrangement, plan, songs, runs, []));
        warnings.push(`Section ${i + 1} paused for too long: a quiet bed was put under it.`);
      }
    }
    done++;
    const progress = PROGRESS.sections + ((PROGRESS.finish - PROGRESS.sections) * done) / count;
    report(progress, `Rendered section ${i + 1} of ${count}: ${description}`);
    return mixed;
  };
  const sections = await Promise.all(plan.sections.map(({ description }, i) => mixSection(description, i)));
  const { sections: heard, expected } = gatherHearing(plan, arrangement, songs, sections, strokes, tuning);
  const { checks, findings } = judgeLayers(heard, expected);
  return { plan, tuning, arrangement, sections, splices: splicesOf(plan, arrangement), checks, findings, warnings };
}

const outOfTune = ({ findings }: RecordedTake): string[] =>
  [...findings.harmony].filter(([, likeness]) => !isInTune(likeness)).map(([singer]) => singer);

/** The plan as it was meant or, where that sounds wrong, corrected; the least change first. */
async function recordBest(studio: Studio, plan: RenderPlan): Promise<{ take: RecordedTake; corrections: string[] }> {
  const { songs, threads } = studio;
  const layersOf = ({ sections }: RecordedTake): LayerSound[][] => sections.map(({ heard }) => heard);
  const heardIn = new Set<string>();
  const ways: Way<RecordedTake>[] = [
    ({ tuning, findings }) => correct(tuning, findings, songs),
    async (take) => {
      const singers = outOfTune(take);
      if (singers.length === 0) return undefined;
      const { arrangement, tuning } = take;
      const layers = layersOf(take);
      const sent = { plan: take.plan, arrangement, layers, tuning, songs: new Map(songs), outOfTune: singers, heardIn };
      const found = await threads.run('rephrase', sent);
      if (found) heardIn.add(shiftsOf(found.tuning.semitones));
      return found;
    },
    (take) => giveOwnHarmony({ ...take, layers: layersOf(take), outOfTune: outOfTune(take) }, songs),
  ];
  return improve(await record(studio, plan, chooseTuning(plan, songs)), ways, (changed, tuning) => {
    studio.report(PROGRESS.sections, 'Correcting what the hearing found');
    return record(studio, changed, tuning);
  });
}

/**
 * Renders a mashup and uploads it.
 * @throws RenderError for what cannot be rendered, the reason of the threads' signal when that fires
 */
export async function renderMashup(
  request: RenderRequest,
  threads: RenderThreads,
  report: ReportProgress,
): Promise<{ storage_path: string; result: RenderResult }> {
  const { plan, warnings } = readPlan(request);
  const upload = needUpload(request);
  report(1, 'Reading the plan');
  const songs = await readSongs(request, plan, threads, report, warnings);
  const scratch = openScratch();
  try {
    const strokes = await hearDrums(songs, threads);
    report(PROGRESS.stems, `Matching ${songs.size} songs to ${tempoWords(plan)}`);
    warnings.push(...warnOfTempo(plan, songs));
    const store = new RunStore(threads, scratch, Math.max(...plan.sections.map(({ bpm }) => 60 / bpm)));
    const studio = { songs, strokes, store, threads, request, report };
    const { take, corrections } = await recordBest(studio, plan);
    warnings.push(...take.warnings);
    threads.renew();

    const result = await threads.run(
      'finish',
      {
        sections: take.sections.map(({ offset, channels }) => ({ offset, channels })),
        frames: Math.round(plan.durationSec * SAMPLE_RATE),
        splices: take.splices,
        heard: { checks: take.checks, corrections },
        bpm: plan.bpm,
        key: plan.key,
        format: request.format,
        tags: { title: request.masterplan.title, artist: request.masterplan.artistCredits },
        upload,
        warnings: [...new Set(warnings)].sort(),
      },
      (message) => report(PROGRESS.done - (message.startsWith('Uploading') ? 3 : 12), message),
    );
    return { storage_path: upload.path, result };
  } finally {
    // A thread that still writes must not meet another file under the same descriptor.
    await threads.close();
    scratch.close();
  }
}
