/** Builds the one style sheet of `@mashup-engine/react`: Tailwind's classes that the components use, which hold for them alone. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import postcss from 'postcss';
import type { Plugin, Rule } from 'postcss';
import selectorParser from 'postcss-selector-parser';
import tailwindcss from 'tailwindcss';
import theme from '../../studio/tailwind.ts';
import { ROOT } from './paths.ts';

/** The class of the root element of each component. */
const SCOPE = '.mashup-ui';
/** The components and everything inside them. */
const INSIDE = `:is(${SCOPE},${SCOPE} *)`;
const SOURCES = ['packages/react/*.ts', 'packages/react/{components,state}/**/*.{ts,tsx}'];

/** Writes the style sheet to `path`. */
export async function buildStyles(path: string): Promise<void> {
  const own = await readFile(join(ROOT, 'packages/react/styles.css'), 'utf8');
  const content = SOURCES.map((source) => join(ROOT, source));
  const { css } = await postcss([tailwindcss({ ...theme, content }), scopePlugin()]).process(
    `@tailwind base;\n@tailwind components;\n@tailwind utilities;\n${own}`,
    { from: undefined },
  );
  const { code } = await transform(css, { loader: 'css', minify: true, target: 'es2022' });
  await writeFile(path, code);
}

/** Limits each rule to the components, so that the page around them keeps its own style. */
function scopePlugin(): Plugin {
  return {
    postcssPlugin: 'scope',
    Rule(rule) {
      if (isKeyframe(rule) || rule.selector.includes(SCOPE)) return;
      const selectors = [...new Set(rule.selectors.flatMap(scopeSelector))];
      if (selectors.length === 0) rule.remove();
      else rule.selectors = selectors;
    },
  };
}

function isKeyframe(rule: Rule): boolean {
  return rule.parent?.type === 'atrule' && 'name' in rule.parent && String(rule.parent.name).endsWith('keyframes');
}

/** Returns the selectors that stand for one selector inside the components; none for the body of the page. */
function scopeSelector(selector: string): string[] {
  const text = selector.trim();
  if (text === 'body') return [];
  if ([':root', 'html', ':host'].includes(text)) return [SCOPE];
  if (text === '.dark') return [`.dark ${SCOPE}`, `${SCOPE}.dark`];
  return [
    selectorParser((root) => {
      root.each((one) => insertInside(one));
    }).processSync(text),
  ];
}

/** Inserts the scope into the last compound of a selector, before its pseudo-elements. */
function insertInside(selector: selectorParser.Selector): void {
  const scope = selectorParser.pseudo({ value: INSIDE });
  const end = selector.nodes.find((node, index) => {
    const isLast = !selector.nodes.slice(index).some((after) => after.type === 'combinator');
    return isLast && node.type === 'pseudo' && selectorParser.isPseudoElement(node);
  });
  if (end === undefined) selector.append(scope);
  else selector.insertBefore(end, scope);
}
