/** Removes from names of files what is not part of the name of a song: track numbers, versions, tempi, marks of videos and sites. */

const SITE = String.raw`(?:www\.)?[\w-]+\.(?:com|net|org|io|co|cc|me|ru|de|to)`;
/** What files are called beside their song. */
const MARK = [
  String.raw`official(?: (?:music|lyrics?|hd|4k))*(?: (?:video|audio|visuali[sz]er|clip))?`,
  String.raw`(?:music|lyrics?|lyric) video`,
  String.raw`lyrics?(?: on screen)?`,
  'audio(?: only)?',
  'visuali[sz]er',
  'full (?:song|version|audio)',
  'hq|hd|4k|1080p|720p|uhd',
  String.raw`(?:320|256|192|128) ?kb(?:p?s)?`,
  'lossless|wav|flac|mp3|m4a|ogg|16 ?bit|24 ?bit',
  'free (?:download|dl)|out now|premiere|explicit|clean version',
  String.raw`(?:digital(?:ly)? )?re-?master(?:ed)?(?: \d{4})?(?: version)?`,
  String.raw`\d{4} re-?master(?:ed)?(?: version)?`,
  'original mix',
  'copy|kopie|copie',
].join('|');
/** States of a work, which are marks only behind a name: `The Final` is a title, `My Song final` is not. */
const STATE = [
  String.raw`(?:final|rough|pre)[ -]?(?:mix|master|version)?(?: ?\d{1,2})?`,
  String.raw`(?:re-?)?master(?:ed)?(?: ?\d{1,2})?`,
  'mix ?down|bounce(?:d)?|export(?:ed)?|print',
  String.raw`v(?:er(?:sion)?)?[ .]?\d{1,3}(?:\.\d{1,2})?`,
  String.raw`\d{2,3}(?:[.,]\d{1,2})? ?bpm(?: [a-g][#b]?(?:m|min|maj| minor| major)?)?`,
  String.raw`bpm ?\d{2,3}`,
  // Key and tempo, as programs for DJs add them.
  String.raw`(?:1[0-2]|0?[1-9])[ab] (?:[6-9]\d|1\d\d)(?:\.\d+)?`,
  String.raw`\d{4}-\d{2}-\d{2}`,
].join('|');

const ALL_MARKS = new RegExp(`^(?:(?:${MARK}|${STATE}|${SITE}|\\d{1,2})(?:[ ,+&|/-]+|$))+$`, 'i');
/** The id of a video, as programs that save videos write it. */
const VIDEO_ID = /^(?=.*[\d_-])(?=.*[A-Za-z])[\w-]{11}$/;
const BRACKETS = /[ ]*[([{]([^()[\]{}]*)[)\]}]/g;
const LAST_MARK = new RegExp(`[ .,|-]+(?:${MARK}|${STATE}|${SITE})$`, 'i');
const FIRST_MARK = new RegExp(`^(?:copy of|kopie von|${SITE})[ .,|-]+`, 'i');
/** Longer texts are no marks. The expressions above take too long for them. */
const MAX_MARK_LENGTH = 60;
const MAX_LENGTH = 300;
const MAX_MARKS = 12;
/** What no name consists of alone. */
const ONLY_ARTICLE = /^(?:the|a|an|my|der|die|das|le|la|el)$/i;

/** Returns whether a text is no name: a site, a version, a tempo. */
export const isMark = (text: string): boolean => text.length <= MAX_MARK_LENGTH && ALL_MARKS.test(text.trim());

const tidy = (text: string): string => text.replace(/\s+/g, ' ').replace(/^[ .,|_-]+|[ ,|_-]+$/g, '');

/** Returns a name without marks in brackets, in front of it and behind it. What would leave nothing stays. */
export function withoutMarks(text: string): string {
  let name = tidy(
    text
      .slice(0, MAX_LENGTH)
      .replace(BRACKETS, (whole, content: string) => (isMark(content) || VIDEO_ID.test(content) ? ' ' : whole)),
  );
  for (let removed = 0; removed < MAX_MARKS; removed++) {
    const shorter = tidy(name.replace(FIRST_MARK, '').replace(LAST_MARK, ''));
    if (shorter === name || shorter === '' || ONLY_ARTICLE.test(shorter)) return name;
    name = shorter;
  }
  return name;
}
