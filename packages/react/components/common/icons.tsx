/** Paths of the line icons. */
const PATHS = {
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M8 5v14M16 5v14',
  previous: 'M6 5v14M18 5.500v13L9 12z',
  next: 'M18 5v14M6 5.500v13l9-6.500z',
  repeat:
    'M4 11V9.500A3.500 3.500 0 017.500 6H19M16 3l3 3-3 3M20 13v1.500a3.500 3.500 0 01-3.500 3.500H5M8 21l-3-3 3-3',
  volume: 'M4 9.500v5h3.500l4.500 4v-13l-4.500 4zM15.500 9a4 4 0 010 6M18 6.500a8 8 0 010 11',
  muted: 'M4 9.500v5h3.500l4.500 4v-13l-4.500 4zM16 9.500l5 5M21 9.500l-5 5',
  close: 'M6 6l12 12M18 6L6 18',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  unfold: 'M6 9.500l6 6 6-6',
  wave: 'M4 12h2l2-6 3 13 3-10 2 5 1-2h3',
  plan: 'M4 6h9M4 12h16M4 18h6M16 6h4M14 18h6',
  note: 'M9 18V6l10-2v12M9 18a2.500 2.500 0 11-5 0 2.500 2.500 0 015 0zM19 16a2.500 2.500 0 11-5 0 2.500 2.500 0 015 0z',
  add: 'M12 5v14M5 12h14',
  shorter: 'M5 12h14',
  undo: 'M9 7L4 12l5 5M4 12h10a5 5 0 010 10h-2',
  redo: 'M15 7l5 5-5 5M20 12H10a5 5 0 000 10h2',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  link: 'M10 14a4 4 0 006 .5l3-3a4 4 0 00-6-5.500l-1 1M14 10a4 4 0 00-6-.5l-3 3a4 4 0 006 5.500l1-1',
  share: 'M12 15V4M8 7.500L12 4l4 3.500M8.500 11H6v9h12v-9h-2.500',
  retry: 'M20 11a8 8 0 10-2 6M20 5v6h-6',
  sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 3v1M12 20v1M3 12h1M20 12h1M5.600 5.600l.7.7M17.700 17.700l.7.7M5.600 18.400l.7-.7M17.700 6.300l.7-.7',
  moon: 'M20 14.500A8 8 0 119.500 4a6.500 6.500 0 0010.500 10.500z',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  warning: 'M12 4l9 16H3zM12 10v4M12 17v.5',
  spark: 'M12 3l2 6.500L20.500 12 14 14.500 12 21l-2-6.500L3.500 12 10 9.500z',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  person: 'M12 12a4 4 0 100-8 4 4 0 000 8zM4 20c1.500-4 5-5 8-5s6.500 1 8 5',
} as const;

export type IconName = keyof typeof PATHS;

/** A decorative line icon. The control that contains it carries the name. */
export function Icon({ name, className = 'h-4 w-4' }: { name: IconName; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 24 24"
      className={`shrink-0 ${className}`}
      fill={name === 'play' || name === 'spark' ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
