/** Wishes for another version that are offered with a click: such as planning by rules understands as well. */
export const SUGGESTIONS = [
  'More energy',
  'More vocals',
  'More bass',
  'A bit slower',
  'Make it shorter',
  'Smoother transitions',
];
