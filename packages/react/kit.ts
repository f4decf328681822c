/** Small parts that the studio shares with the components. They are not published: they may change at any time. */
export { Icon } from './components/common/icons.tsx';
export { loadedLater } from './components/common/loaded-later.tsx';
export { MusicText } from './components/common/MusicText.tsx';
export { isDoubleClick } from './components/common/press.ts';
export { PreviewButton } from './components/common/PreviewButton.tsx';
export { Warnings } from './components/result/Warnings.tsx';
export { toneOf } from './components/common/tones.ts';
export { ago, clock } from './texts.ts';
export { displayKey } from '../../music/theory/keys.ts';
