/** Colours of the components: those of text are readable on each background. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const css = readFileSync(join(import.meta.dirname, '../../packages/react/styles.css'), 'utf8');
const TEXTS = /^(ink|soft|accent|good|warn|bad|song-\d-text)$/;
const BACKGROUNDS = ['ground', 'panel', 'raised'];
/** Least contrast of small text (WCAG 2.2, level AA). */
const MIN_CONTRAST = 4.5;

/** The colours of a theme by their names, 0 to 255. */
function colours(selector: string): Map<string, number[]> {
  const block = css.slice(css.indexOf(`${selector} {`)).split('}')[0]!;
  return new Map(
    [...block.matchAll(/--([\w-]+): (\d+) (\d+) (\d+);/g)].map(([, name, ...rgb]) => [name!, rgb.map(Number)]),
  );
}

/** Relative luminance of a colour (WCAG 2.2). */
function luminance(rgb: readonly number[]): number {
  const [red, green, blue] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(a: readonly number[], b: readonly number[]): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

for (const [theme, selector] of Object.entries({ light: ':root', dark: '.dark' }))
  it(`each colour of text has a contrast of 4.5 on each background, ${theme}`, () => {
    const palette = colours(selector);
    const texts = [...palette].filter(([name]) => TEXTS.test(name));
    assert.equal(texts.length, 9);
    const pairs = texts.flatMap(([name, rgb]) =>
      BACKGROUNDS.map((ground) => `${name} on ${ground}: ${contrast(rgb, palette.get(ground)!).toFixed(2)}`),
    );
    assert.deepEqual(
      pairs.filter((pair) => Number(pair.split(': ')[1]) < MIN_CONTRAST),
      [],
    );
  });
