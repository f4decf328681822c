/** HTML from templates, in which every value is escaped. */

/** Text that is HTML already. */
export interface Html {
  readonly markup: string;
}

type Value = string | number | Html | readonly Html[] | undefined | null | false;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Tag of a template: escapes each value that is not HTML itself. Lists are joined; undefined, null and false are empty. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return { markup: parts.reduce((text, part, index) => `${text}${markupOf(values[index - 1])}${part}`) };
}

/** Returns the markup of a value, which is safe as content of an element and in a quoted attribute. */
function markupOf(value: Value): string {
  if (value === undefined || value === null || value === false) return '';
  if (typeof value !== 'object') return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}

/** Returns a block of JSON for a script of the page. Browsers do not execute it, and no value can end it. */
export function jsonBlock(id: string, value: unknown): Html {
  const json = JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return html`<script type="application/json" id="${id}">
    ${{ markup: json }}
  </script>`;
}
