/** The HTML of a shared mashup: a page of its own, and an embedded player. Both work without scripts. */
import { clock } from '../../../music/plan/clock.ts';
import { spokenNotes, splitNotes } from '../../../music/theory/spelling.ts';
import { COVER_SIZE, EMBED_HEIGHT } from './addresses.ts';
import type { Addresses } from './addresses.ts';
import { html, jsonBlock } from './html.ts';
import type { Html } from './html.ts';
import { LISTEN_ID, PAGE_DATA_ID } from './page-data.ts';
import type { SharePageData } from './page-data.ts';
import type { SharedMashup } from './shared-mashup.ts';
import { creditOf, descriptionOf, factsOf } from './texts.ts';

/** What every page needs to know of its site. */
export interface Site {
  name: string;
  addresses: Addresses;
}

const EMBED_WIDTH = 480;

interface Parts {
  site: Site;
  title: string;
  head: Html;
  body: Html[];
  hasScript?: boolean;
}

/** Returns the page of a shared mashup. */
export function sharePage(mashup: SharedMashup, site: Site): string {
  const { addresses } = site;
  const body = html`<main class="share-page">
    <img
      class="share-cover"
      src="${addresses.cover}"
      alt="${coverText(mashup)}"
      width="${COVER_SIZE.width}"
      height="${COVER_SIZE.height}"
    />
    <h1 dir="auto" data-testid="title">${mashup.title}</h1>
    ${creditList(mashup)}
    <p class="share-facts">${withSpokenNotes(factsOf(mashup).join(' · '))}${madeOn(mashup)}</p>
    <div id="${LISTEN_ID}" class="share-listen">${audioElement(addresses)} ${sectionList(mashup)}</div>
    <p class="share-foot">
      Made with <a href="${addresses.studio}">${site.name}</a>.
      <a href="${addresses.studio}">Make a mashup of your own songs</a>
    </p>
  </main>`;
  return document({
    site,
    title: `${mashup.title} · ${site.name}`,
    head: preview(mashup, site),
    body: [body, dataOf(mashup, addresses, false)],
  });
}

/** Returns the player of a shared mashup for frames of other sites. */
export function embedPage(mashup: SharedMashup, site: Site): string {
  const { addresses } = site;
  const body = html`<main class="share-embed">
    <h1 dir="auto" data-testid="title">
      <a href="${addresses.page}" target="_blank" rel="noopener">${mashup.title}</a>
    </h1>
    <p class="share-by">Made with <a href="${addresses.studio}" target="_blank" rel="noopener">${site.name}</a></p>
    <div id="${LISTEN_ID}" class="share-listen">${audioElement(addresses)}</div>
  </main>`;
  const head = html`<link rel="canonical" href="${addresses.page}" />`;
  return document({ site, title: mashup.title, head, body: [body, dataOf(mashup, addresses, true)] });
}

/** Returns a page that says why there is no mashup. `action` is a link below the text. */
export function messagePage(
  site: Site,
  message: { title: string; text: string; action?: { name: string; href: string } },
): string {
  const body = html`<main class="share-page share-message">
    <h1>${message.title}</h1>
    <p>${message.text}</p>
    ${message.action && html`<p><a class="share-action" href="${message.action.href}">${message.action.name}</a></p>`}
    <p class="share-foot"><a href="${site.addresses.studio}">${site.name}</a></p>
  </main>`;
  return document({ site, title: `${message.title} · ${site.name}`, head: html``, body: [body], hasScript: false });
}

function document({ site, title, head, body, hasScript = true }: Parts): string {
  const { addresses } = site;
  return html`<!doctype html>
    <html lang="en" prefix="og: https://ogp.me/ns# music: https://ogp.me/ns/music#">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="dark light" />
        <meta name="robots" content="noindex" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${head}
        <link rel="icon" href="${addresses.icon}" type="image/svg+xml" />
        <link rel="stylesheet" href="${addresses.style}" />
        <script src="${addresses.theme}"></script>
        ${hasScript && html`<script type="module" src="${addresses.script}"></script>`}
      </head>
      <body>
        ${body}
      </body>
    </html> `.markup;
}

/** What other programs show of the page: Open Graph, and the cards of Twitter. */
function preview(mashup: SharedMashup, { name, addresses }: Site): Html {
  const isSecure = addresses.embed.startsWith('https:');
  const properties: [string, string | number][] = [
    ['og:type', 'music.song'],
    ['og:site_name', name],
    ['og:title', mashup.title],
    ['og:description', descriptionOf(mashup)],
    ['og:url', addresses.page],
    ['og:image', addresses.cover],
    ['og:image:type', 'image/png'],
    ['og:image:width', COVER_SIZE.width],
    ['og:image:height', COVER_SIZE.height],
    ['og:image:alt', coverText(mashup)],
    ['og:audio', addresses.audio],
    ...(mashup.audioType === '' ? [] : [['og:audio:type', mashup.audioType] as [string, string]]),
    ['music:duration', Math.round(mashup.durationSec)],
  ];
  const names: [string, string | number][] = [
    ['description', descriptionOf(mashup)],
    // Cards with a player are shown by HTTPS alone.
    ['twitter:card', isSecure ? 'player' : 'summary_large_image'],
    ['twitter:title', mashup.title],
    ['twitter:description', descriptionOf(mashup)],
    ['twitter:image', addresses.cover],
    ['twitter:image:alt', coverText(mashup)],
    ...(isSecure
      ? ([
          ['twitter:player', addresses.embed],
          ['twitter:player:width', EMBED_WIDTH],
          ['twitter:player:height', EMBED_HEIGHT],
        ] as [string, string | number][])
      : []),
  ];
  return html`<link rel="canonical" href="${addresses.page}" />
    ${properties.map(([property, value]) => html`<meta property="${property}" content="${value}" /> `)}${names.map(([key, value]) => html`<meta name="${key}" content="${value}" /> `)}`;
}

/** A text in which screen readers read `B♭` as `B flat`. */
function withSpokenNotes(text: string): Html {
  const pieces = splitNotes(text).map((piece, at) =>
    at % 2 === 0
      ? html`${piece}`
      : html`<span aria-hidden="true">${piece}</span><span class="sr-only select-none">${spokenNotes(piece)}</span>`,
  );
  return html`${pieces}`;
}

function creditList({ songs }: SharedMashup): Html {
  if (songs.length === 0) return html``;
  return html`<ul class="share-credits" aria-label="Songs">
    ${songs.map((song) => html`<li dir="auto">${creditOf(song)}</li>`)}
  </ul>`;
}

function sectionList({ timeline }: SharedMashup): Html {
  if (timeline.length === 0) return html``;
  return html`<ol class="share-sections" aria-label="Sections">
    ${timeline.map(({ start, description }) => html`<li>${clock(start)} ${description}</li>`)}
  </ol>`;
}

function audioElement({ audio }: Addresses): Html {
  return html`<audio controls preload="none" src="${audio}"></audio>`;
}

function madeOn({ createdAt }: SharedMashup): Html {
  if (createdAt === '') return html``;
  const day = new Date(createdAt).toISOString().slice(0, 10);
  const text = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(createdAt));
  return html` · <time datetime="${day}">${text}</time>`;
}

const coverText = ({ title }: SharedMashup): string => `The waveforms of the songs of “${title}”`;

function dataOf(mashup: SharedMashup, { audio, cover }: Addresses, isEmbed: boolean): Html {
  const { title, songs, durationSec, timeline, peaks } = mashup;
  const data: SharePageData = {
    title,
    songs,
    durationSec,
    timeline: isEmbed ? [] : timeline,
    peaks,
    audioUrl: audio,
    coverUrl: cover,
    isEmbed,
  };
  return jsonBlock(PAGE_DATA_ID, data);
}
