/** Suggested feedback for another version. Planning by rules understands all of it as well. */
export const SUGGESTIONS = [
  'More energy',
  'More vocals',
  'More bass',
  'A bit slower',
  'Make it shorter',
  'Smoother transitions',
];
