/** Finds lengths, tempi, intervals, levels, counts and keys in a text. */
import { formatKey, parseKey } from '../theory/keys.ts';
import { joinTokens, type Entity, type Token } from './tokens.ts';

const UNITS = [
  'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen',
  'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen',
]; // prettier-ignore
const TENS = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

const SECOND = /^(s|secs?|seconds?)$/;
const MINUTE = /^(m|mins?|minutes?)$/;
const SECTION = /^(sections?|parts|segments?|bits|pieces|chunks|blocks)$/;

/** A quantity with the number of tokens that it takes. */
type Found = { entity: Entity; size: number };
type Count = { value: number; size: number };

/** Reads a number in digits or words; `a` is one, `half a` a half. */
function readNumber(tokens: readonly Token[], at: number): Count | null {
  const text = tokens[at]?.text ?? '';
  if (/^\d+([.,]\d+)?$/.test(text)) return { value: Number(text.replace(',', '.')), size: 1 };
  if (text === 'half') return { value: 0.5, size: /^an?$/.test(tokens[at + 1]?.text ?? '') ? 2 : 1 };
  if (text === 'a' && tokens[at + 1]?.text === 'half') return { value: 0.5, size: 2 };
  if (/^(an?|another)$/.test(text)) return { value: 1, size: 1 };
  const unit = UNITS.indexOf(text);
  if (unit >= 0) return { value: unit + 1, size: 1 };
  const tens = TENS.indexOf(text);
  if (tens < 0) return null;
  const next = UNITS.indexOf(tokens[at + 1]?.text ?? '');
  return next >= 0 && next < 9 ? { value: (tens + 2) * 10 + next + 1, size: 2 } : { value: (tens + 2) * 10, size: 1 };
}

const isAt = (tokens: readonly Token[], at: number, ...words: RegExp[]): boolean =>
  words.every((word, i) => word.test(tokens[at + i]?.text ?? ''));
/** Tokens of `and a half` or `and half` at a place: 3 or 2, otherwise 0. */
const halfAt = (tokens: readonly Token[], at: number): number =>
  isAt(tokens, at, /^and$/, /^a$/, /^half$/)
    ? 3
    : isAt(tokens, at, /^and$/, /^half$/) && !isAt(tokens, at + 2, /^an?$/)
      ? 2
      : 0;

/** Reads a length: `2:30`, `90 s`, `a minute and a half`, `two and a half minutes`, `1 min 40`. */
function readLength(tokens: readonly Token[], at: number): Found | null {
  const clock = /^(\d+):(\d{2})$/.exec(tokens[at]?.text ?? '');
  if (clock) {
    const sec = Number(clock[1]) * 60 + Number(clock[2]);
    const size = MINUTE.test(tokens[at + 1]?.text ?? '') ? 2 : 1;
    return Number(clock[2]) < 60 ? { entity: { kind: 'seconds', value: sec }, size } : null;
  }
  const count = readNumber(tokens, at);
  if (!count) return null;
  let end = at + count.size;
  let value = count.value;
  const half = halfAt(tokens, end);
  if (half > 0) [value, end] = [value + 0.5, end + half];
  if (isAt(tokens, end, /^(more|extra)$/, SECOND)) end += 1;
  if (SECOND.test(tokens[end]?.text ?? '')) return { entity: { kind: 'seconds', value }, size: end + 1 - at };
  if (!MINUTE.test(tokens[end]?.text ?? '')) return null;
  end += 1;
  value *= 60;
  const more = halfAt(tokens, end);
  if (more > 0) return { entity: { kind: 'seconds', value: value + 30 }, size: end + more - at };
  const from = isAt(tokens, end, /^and$/) ? end + 1 : end;
  const rest = readNumber(tokens, from);
  const isRest = rest && rest.value < 60 && !/^an?$/.test(tokens[from]?.text ?? '');
  const hasUnit = rest && SECOND.test(tokens[from + rest.size]?.text ?? '');
  if (!isRest || (from > end && !hasUnit)) return { entity: { kind: 'seconds', value }, size: end - at };
  // `three minutes thirty`, and not `two minutes one`.
  if (
    !hasUnit &&
    !/^\d{2}$/.test(tokens[from]?.text ?? '') &&
    (/^\d/.test(tokens[from]?.text ?? '') || rest.value < 10)
  )
    return { entity: { kind: 'seconds', value }, size: end - at };
  const size = from + rest.size + (hasUnit ? 1 : 0) - at;
  return { entity: { kind: 'seconds', value: value + rest.value }, size };
}

/** Units after a number, as words one after another. The most words come first. */
const MEASURES: readonly {
  words: readonly RegExp[];
  kind: 'bpm' | 'semitones' | 'decibels' | 'percent' | 'times';
  times: number;
}[] = [
  { words: [/^beats$/, /^(per|a)$/, /^min(ute)?$/], kind: 'bpm', times: 1 },
  { words: [/^bpms?$/], kind: 'bpm', times: 1 },
  { words: [/^(half|semi)$/, /^(steps?|tones?)$/], kind: 'semitones', times: 1 },
  { words: [/^(semitones?|halftones?|halfsteps?|st)$/], kind: 'semitones', times: 1 },
  { words: [/^(whole|full)$/, /^(steps?|tones?)$/], kind: 'semitones', times: 2 },
  { words: [/^tones?$/], kind: 'semitones', times: 2 },
  { words: [/^octaves?$/], kind: 'semitones', times: 12 },
  { words: [/^(db|decibels?)$/], kind: 'decibels', times: 1 },
  { words: [/^per$/, /^cent$/], kind: 'percent', times: 1 },
  { words: [/^(percent|percents|pct)$/], kind: 'percent', times: 1 },
  { words: [/^(x|times)$/], kind: 'times', times: 1 },
];

function readMeasure(tokens: readonly Token[], at: number): Found | null {
  const percent = /^(\d+(?:[.,]\d+)?)\s?%$/.exec(tokens[at]?.text ?? '')?.[1];
  if (percent !== undefined) return { entity: { kind: 'percent', value: Number(percent.replace(',', '.')) }, size: 1 };
  const isHalfStep = isAt(tokens, at, /^(half|semi)$/, /^(steps?|tones?)$/);
  const count = isHalfStep
    ? { value: 1, size: 0 }
    : isAt(tokens, at, /^a$/, /^(half|semi)$/)
      ? { value: 1, size: 1 }
      : readNumber(tokens, at);
  if (!count) return null;
  const unit = MEASURES.find(({ words }) => isAt(tokens, at + count.size, ...words));
  if (!unit) return null;
  return { entity: { kind: unit.kind, value: count.value * unit.times }, size: count.size + unit.words.length };
}

/** Reads a number that counts sections, or digits. */
function readCount(tokens: readonly Token[], at: number): Found | null {
  const count = readNumber(tokens, at);
  if (!count) return null;
  const isDigits = /^\d/.test(tokens[at]?.text ?? '');
  const isCount =
    isDigits ||
    (SECTION.test(tokens[at + count.size]?.text ?? '') && !/^(an?|half|another)$/.test(tokens[at]?.text ?? ''));
  return isCount ? { entity: { kind: 'number', value: count.value }, size: count.size } : null;
}

const BEFORE_KEY = /^(in|to|into|of|key|is)$/;
const AFTER_KEY = /^(?:[,.!?;]|please|and|but|then|pls|instead|thanks)$/;

/** Reads a key: with its mode anywhere, a bare note or `Am` after `in`, `to` or `key`. */
function readKey(tokens: readonly Token[], at: number): Found | null {
  if (!/^[a-h](?:[#♯♭]|b|m|bm|is|es)?$/.test(tokens[at]?.text ?? '')) return null;
  const isExpected = BEFORE_KEY.test(tokens[at - 1]?.text ?? '');
  for (const size of [3, 2, 1]) {
    const words = tokens.slice(at, at + size).map((token) => token.text);
    if (words.length < size) continue;
    const parsed =
      parseKey(words.join(' ')) ?? (size > 1 ? parseKey(`${words.slice(0, -1).join('')}${words.at(-1)}`) : null);
    if (!parsed) continue;
    const last = words.at(-1) ?? '';
    const next = tokens[at + size]?.text;
    const hasMode = size > 1 ? !/^(sharp|flat|[#♯♭b])$/.test(last) : /[#♯♭b]m$/.test(last);
    const isBare =
      isExpected && (next === undefined || AFTER_KEY.test(next)) && (last !== 'a' || tokens[at - 1]?.text === 'of');
    if (hasMode || isBare) return { entity: { kind: 'key', name: formatKey(parsed) }, size };
  }
  return null;
}

/** Text of an entity in a clause in normal form. */
function textOf(entity: Entity): string {
  switch (entity.kind) {
    case 'song':
      return `@${entity.index}`;
    case 'key':
      return `#k${entity.name.replace(' ', '_')}`;
    default:
      return `#${{ seconds: 's', bpm: 'b', semitones: 't', decibels: 'd', percent: 'p', times: 'x', number: 'n' }[entity.kind]}${entity.value}`;
  }
}

/** Replaces quantities and keys by one token each. */
export function findQuantities(tokens: readonly Token[]): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < tokens.length;) {
    const token = tokens[at];
    if (!token) break;
    const quantity = token.entity
      ? null
      : (readLength(tokens, at) ?? readMeasure(tokens, at) ?? readKey(tokens, at) ?? readCount(tokens, at));
    found.push(
      quantity ? joinTokens(tokens.slice(at, at + quantity.size), textOf(quantity.entity), quantity.entity) : token,
    );
    at += quantity?.size ?? 1;
  }
  return found;
}
