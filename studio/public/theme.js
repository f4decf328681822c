// Chooses the colours before the first paint. A file of its own, because the page's policy allows no inline scripts.
try {
  const chosen = localStorage.getItem('mashup-theme');
  const dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.classList.toggle('dark', dark);
} catch {
  document.documentElement.classList.add('dark');
}
