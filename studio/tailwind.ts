/** Colours and fonts of the studio and of the components. A song has the same colour in card, waveform, timeline and meter. */
import { join } from 'node:path';
import type { Config } from 'tailwindcss';

const variable = (name: string): string => `rgb(var(--${name}) / <alpha-value>)`;

const config: Config = {
  darkMode: 'class',
  content: [
    'index.html',
    'src/**/*.{ts,tsx}',
    '../packages/react/*.ts',
    '../packages/react/{components,state}/**/*.{ts,tsx}',
  ].map((path) => join(import.meta.dirname, path)),
  theme: {
    extend: {
      colors: {
        ground: variable('ground'),
        panel: variable('panel'),
        raised: variable('raised'),
        line: variable('line'),
        ink: variable('ink'),
        soft: variable('soft'),
        accent: variable('accent'),
        'on-accent': variable('on-accent'),
        good: variable('good'),
        warn: variable('warn'),
        bad: variable('bad'),
        'song-1': variable('song-1'),
        'song-2': variable('song-2'),
        'song-3': variable('song-3'),
        'song-1-text': variable('song-1-text'),
        'song-2-text': variable('song-2-text'),
        'song-3-text': variable('song-3-text'),
      },
      fontFamily: {
        sans: ['ui-sans-serif', 'system-ui', '-apple-system', 'Segoe UI', 'Roboto', 'Helvetica Neue', 'sans-serif'],
      },
    },
  },
};

export default config;
