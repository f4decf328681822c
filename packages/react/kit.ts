/** Small parts that the studio shares with the components. They are not published: they may change at any time. */
export { Icon } from './components/common/icons.tsx';
export { Warnings } from './components/result/Warnings.tsx';
export { toneOf } from './components/common/tones.ts';
export { ago, clock } from './texts.ts';
export { keyName } from '../../music/theory/key-text.ts';
