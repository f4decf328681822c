/** What differs between two corresponding sections. */
import type { PlanLayer, PlanSection, Stem } from '../../../schema.ts';
import { AUDIBLE_LEVEL_DB } from '../../plan/limits.ts';
import { parseEffect } from '../../plan/effects.ts';
import { isSingular, STEM_NAMES } from '../../theory/stem-texts.ts';
import { describeEffect } from '../effect-texts.ts';
import { isOrAre, joinWords, nameOfLayer, quoteName, type NamedSong } from '../words.ts';
import type { Findings } from './findings.ts';

/** Smaller differences are not told. */
const [LEAST_DB, LEAST_ENERGY, LEAST_PLACE_SEC] = [0.3, 0.05, 0.5];

/** Two corresponding sections. `index` is the position in the later plan, `bars` the lengths in bars. */
export type SectionPair = {
  before: PlanSection;
  after: PlanSection;
  index: number;
  bars: { before: number; after: number };
};

type Layers = ReadonlyMap<string, PlanLayer>;

const keyOf = ({ songId, stem }: PlanLayer): string => `${songId} ${stem}`;

/** The audible layers by song and stem. */
const audible = ({ layers }: PlanSection): Layers =>
  new Map(layers.filter(({ volume_db }) => volume_db > AUDIBLE_LEVEL_DB).map((layer) => [keyOf(layer), layer]));

const songsOf = (layers: Layers, stem: Stem): string[] =>
  [...layers.values()].filter((layer) => layer.stem === stem).map(({ songId }) => songId);

/** Adds what differs between two sections. */
export function compareSections(pair: SectionPair, songs: readonly NamedSong[], findings: Findings): void {
  const { index } = pair;
  const [before, after] = [audible(pair.before), audible(pair.after)];
  const replaced = compareSources(before, after, { index, songs, findings });
  for (const [key, layer] of after) {
    findings.count(`after ${key}`, index);
    const old = before.get(key);
    if (old) compareLayers(old, layer, pair, songs, findings);
    else if (!replaced.has(layer.stem))
      findings.add(
        {
          kind: 'added',
          text: `The ${nameOfLayer(layer, songs)} ${isOrAre(layer.stem)} added`,
          scope: 'sections',
        },
        index,
      );
  }
  for (const [key, layer] of before) {
    findings.count(`before ${key}`, index);
    if (!after.has(key) && !replaced.has(layer.stem))
      findings.add(
        {
          kind: 'removed',
          text: `The ${nameOfLayer(layer, songs)} ${isOrAre(layer.stem)} left out`,
          scope: `before ${key}`,
        },
        index,
      );
  }
  comparePlaces(before, after, { index, songs, findings });
  findings.count('sections', index);
  const more = pair.after.energy_level - pair.before.energy_level;
  if (Math.abs(more) >= LEAST_ENERGY)
    findings.add({ kind: 'energy', text: `There is ${more > 0 ? 'more' : 'less'} energy`, scope: 'sections' }, index);
}

type Context = { index: number; songs: readonly NamedSong[]; findings: Findings };

/** Finds stems that come from another song. Returns them: their layers are not told again as added and left out. */
function compareSources(before: Layers, after: Layers, { index, songs, findings }: Context): Set<Stem> {
  const replaced = new Set<Stem>();
  for (const stem of new Set([...after.values()].map((layer) => layer.stem))) {
    const [old, now] = [songsOf(before, stem), songsOf(after, stem)];
    findings.count(`stem ${stem}`, index);
    if (old.length !== 1 || now.length !== 1 || old[0] === now[0]) continue;
    replaced.add(stem);
    const [to, from] = [quoteName(songs, now[0]!), quoteName(songs, old[0]!)];
    const text =
      stem === 'vocals'
        ? `${to} sings instead of ${from}`
        : `The ${STEM_NAMES[stem]} ${stem === 'bass' ? 'comes' : 'come'} from ${to} instead of ${from}`;
    findings.add({ kind: 'source', text, scope: `stem ${stem}` }, index);
  }
  return replaced;
}

/** Compares level, effects and timing of a layer that both sections have. */
function compareLayers(
  old: PlanLayer,
  now: PlanLayer,
  { index, bars }: SectionPair,
  songs: readonly NamedSong[],
  findings: Findings,
): void {
  const scope = `after ${keyOf(now)}`;
  const name = nameOfLayer(now, songs);
  const db = Math.round((now.volume_db - old.volume_db) * 10) / 10;
  if (Math.abs(db) >= LEAST_DB)
    findings.add(
      {
        kind: 'level',
        text: `The ${name} ${isOrAre(now.stem)} ${Math.abs(db)} dB ${db > 0 ? 'louder' : 'quieter'}`,
        scope,
      },
      index,
    );
  for (const { verb, details } of effectChanges(old.effects, now.effects, bars)) {
    const text = `The ${name} ${isSingular(now.stem) ? verb[0] : verb[1]}`;
    findings.add({ kind: 'effect', text, details: `: ${details}`, scope }, index);
  }
  if ((old.timing === 'free') !== (now.timing === 'free'))
    findings.add(
      {
        kind: 'timing',
        text: `The ${name} ${now.timing === 'free' ? 'no longer follow' : 'follow'}${now.stem === 'bass' ? 's' : ''} the beat`,
        scope,
      },
      index,
    );
}

type EffectChange = { verb: readonly [string, string]; details: string };

/** Lists the effects that are new, that are set otherwise, and that are gone. Verbs are in the singular and in the plural. */
function effectChanges(old: readonly string[], now: readonly string[], bars: SectionPair['bars']): EffectChange[] {
  const nameOf = (text: string): string => parseEffect(text)?.name ?? text;
  const added = now.filter((text) => !old.some((other) => nameOf(other) === nameOf(text)));
  const removed = old.filter((text) => !now.some((other) => nameOf(other) === nameOf(text)));
  const changed = now.flatMap((text) => {
    const before = old.find((other) => nameOf(other) === nameOf(text));
    if (before === undefined || before === text) return [];
    const [from, to] = [describeEffect(before, bars.before), describeEffect(text, bars.after)];
    return [from === to ? amountChange(before, text, to) : `${to} instead of ${from}`];
  });
  const effects = (texts: readonly string[], count: number): string =>
    joinWords(texts.map((text) => describeEffect(text, count)));
  const changes: EffectChange[] = [
    {
      verb: [
        `has ${added.length > 1 ? 'new effects' : 'a new effect'}`,
        `have ${added.length > 1 ? 'new effects' : 'a new effect'}`,
      ],
      details: effects(added, bars.after),
    },
    { verb: ['sounds different', 'sound different'], details: joinWords(changed) },
    {
      verb: [
        `loses ${removed.length > 1 ? 'effects' : 'an effect'}`,
        `lose ${removed.length > 1 ? 'effects' : 'an effect'}`,
      ],
      details: effects(removed, bars.before),
    },
  ];
  return changes.filter(({ details }) => details !== '');
}

/** Says how an effect changed whose words are the same before and after. */
function amountChange(before: string, after: string, words: string): string {
  const [old, now] = [parseEffect(before)?.params ?? {}, parseEffect(after)?.params ?? {}];
  const name = ['mix', 'depth', 'amount', 'feedback'].find((each) => old[each] !== now[each]);
  const plain = words.replace(/^(?:much|a little) /, '');
  if (name === undefined) return `other settings of ${plain}`;
  const isMore = (now[name] ?? 0) > (old[name] ?? 0);
  return parseEffect(after)?.name === 'width'
    ? `${isMore ? 'wider' : 'narrower'} stereo`
    : `${isMore ? 'more' : 'less'} ${plain}`;
}

/** Finds songs of which another part plays, in layers that both sections have. */
function comparePlaces(before: Layers, after: Layers, { index, songs, findings }: Context): void {
  for (const songId of new Set([...after.values()].map((layer) => layer.songId))) {
    findings.count(`song ${songId}`, index);
    const isMoved = [...after].some(([key, { songId: id, source_start_sec: now }]) => {
      const old = before.get(key)?.source_start_sec;
      return id === songId && old !== undefined && now !== undefined && Math.abs(now - old) > LEAST_PLACE_SEC;
    });
    if (isMoved)
      findings.add(
        { kind: 'place', text: `Another part of ${quoteName(songs, songId)} plays`, scope: `song ${songId}` },
        index,
      );
  }
}
