/** A whole render: plan read, stems stretched, sections mixed, file finished; the steps in threads, two at a time. */
import { type RenderRequest, type RenderResult, STEMS, type UploadTarget } from '../../schema.ts';
import { SAMPLE_RATE } from '../audio/decode.ts';
import { addBed, arrange, type Arrangement, type Clip, type Run, runMap } from './arrange.ts';
import { RenderError } from './errors.ts';
import type { HeardSong } from './listen.ts';
import { readEffects, semitonesTo } from './music.ts';
import { readPlan, type RenderPlan, type RenderSection } from './plan.ts';
import type { ClipAudio, SectionResult, SectionTask } from './section.ts';
import { isWellKnown, missingStems, readSong, type RenderSong } from './song.ts';
import type { StemRun } from './stem.ts';
import type { RenderThreads } from './threads.ts';

/** Where the steps lie between 0 and 100. */
const PROGRESS = { stems: 2, sections: 62, finish: 80, done: 99 };

export type ReportProgress = (progress: number, message: string) => void;

type Channels = [Float32Array, Float32Array];
type RenderedRun = { channels: Channels; origin: number };

function needUpload(request: RenderRequest): UploadTarget {
  if (request.upload) return request.upload;
  throw new RenderError(
    'upload_missing',
    'There is no place to put the mashup',
    'Send upload: {path, url} with a signed URL that takes a PUT.',
  );
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

/** Stretches runs; each stem is fetched once, however many of them play it. */
async function renderRuns(
  wanted: readonly Run[],
  songs: Map<string, RenderSong>,
  plan: RenderPlan,
  threads: RenderThreads,
  report: ReportProgress,
): Promise<Map<number, RenderedRun>> {
  const head = 60 / plan.bpm;
  const groups = new Map<string, Run[]>();
  for (const run of wanted) {
    const key = JSON.stringify([run.songId, run.stem]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const rendered = new Map<number, RenderedRun>();
  let done = 0;
  await Promise.all(
    [...groups.values()].map(async (runs) => {
      const song = songs.get(runs[0]!.songId)!;
      const stem = runs[0]!.stem;
      const stemRuns = runs.map((run): StemRun => {
        const origin = run.start - head;
        const frames = Math.ceil((run.end - origin) * SAMPLE_RATE) + 1;
        return { id: run.id, map: runMap(run, song, origin), frames, semitones: run.semitones };
      });
      const result = await threads.run('stem', { url: song.stems[stem]!, song: song.name, stem, runs: stemRuns });
      for (const { id, channels } of result.runs) {
        rendered.set(id, { channels, origin: runs.find((run) => run.id === id)!.start - head });
      }
      done++;
      const progress = PROGRESS.stems + ((PROGRESS.sections - PROGRESS.stems) * done) / groups.size;
      report(
        progress,
        `Matched the ${stem} of ${song.name} to ${Math.round(plan.bpm)} BPM (${done} of ${groups.size})`,
      );
    }),
  );
  return rendered;
}

function clipAudio(clip: Clip, runs: Map<number, RenderedRun>, warnings: string[]): ClipAudio {
  const effects = readEffects(clip.effects);
  warnings.push(...effects.warnings);
  return {
    songId: clip.songId,
    stem: clip.stem,
    volumeDb: clip.volumeDb,
    effects: effects.effects,
    joinsPrevious: clip.joinsPrevious,
    joinsNext: clip.joinsNext,
    parts: clip.parts.map(({ runId, start, end }) => ({ ...runs.get(runId)!, start, end })),
  };
}

function sectionTask(
  i: number,
  arrangement: Arrangement,
  plan: RenderPlan,
  runs: Map<number, RenderedRun>,
  warnings: string[],
): SectionTask {
  const { start, end } = plan.sections[i]!;
  return {
    start,
    end,
    bpm: plan.bpm,
    beatsPerBar: plan.beatsPerBar,
    first: i === 0,
    last: i === plan.sections.length - 1,
    clips: arrangement.sections[i]!.map((clip) => clipAudio(clip, runs, warnings)),
  };
}

/** Longest pause that a section may have. */
const MAX_PAUSE_SEC = 0.9;

/**
 * Renders a mashup and uploads it.
 * @throws RenderError for what cannot be rendered, the reason of the threads' signal when that fires
 */
export async function renderMashup(
  request: RenderRequest,
  threads: RenderThreads,
  report: ReportProgress,
): Promise<{ storage_path: string; result: RenderResult }> {
  const plan = readPlan(request);
  const upload = needUpload(request);
  const warnings: string[] = [];
  report(1, 'Reading the plan');
  const songs = await readSongs(request, plan, threads, report, warnings);
  const semitonesOf = (song: RenderSong): number => semitonesTo(song.key, plan.key);
  const arrangement = arrange(plan, songs, request.scores ?? [], semitonesOf);
  warnings.push(...arrangement.warnings);

  report(PROGRESS.stems, `Matching ${songs.size} songs to ${Math.round(plan.bpm)} BPM`);
  const runs = await renderRuns(arrangement.runs, songs, plan, threads, report);

  const count = plan.sections.length;
  let done = 0;
  const mixSection = async ({ description }: RenderSection, i: number): Promise<SectionResult> => {
    let mixed = await threads.run('section', sectionTask(i, arrangement, plan, runs, warnings));
    if (mixed.longestPauseSec > MAX_PAUSE_SEC) {
      const bed = await renderRuns(addBed(arrangement, i, songs, semitonesOf), songs, plan, threads, () => undefined);
      for (const [id, run] of bed) runs.set(id, run);
      if (bed.size > 0) {
        mixed = await threads.run('section', sectionTask(i, arrangement, plan, runs, []));
        warnings.push(`Section ${i + 1} paused for too long: a quiet bed was put under it.`);
      }
    }
    done++;
    const progress = PROGRESS.sections + ((PROGRESS.finish - PROGRESS.sections) * done) / count;
    report(progress, `Rendered section ${i + 1} of ${count}: ${description}`);
    return mixed;
  };
  const sections = await Promise.all(plan.sections.map(mixSection));
  runs.clear();
  threads.renew();

  const result = await threads.run(
    'finish',
    {
      sections,
      frames: Math.round(plan.durationSec * SAMPLE_RATE),
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
}
