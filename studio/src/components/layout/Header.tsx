import { useState } from 'react';
import { Icon } from '@mashup-engine/react/kit';
import type { Page } from '../../hooks/useRoute.ts';

const NAVIGATION: [Page, string][] = [
  ['make', 'Make'],
  ['library', 'Library'],
  ['operator', 'Operator'],
];

/** The head of every page: navigation, theme and account. */
export function Header({ page }: { page: Page }) {
  return (
    <header className="border-b border-line">
      <div className="mx-auto flex max-w-6xl items-center gap-1 px-3 py-2.5 sm:gap-3 sm:px-6">
        <a href="#/" className="mr-auto flex items-center gap-2.5 rounded-lg font-semibold">
          <img src="/icon.svg" alt="" width="32" height="32" className="h-8 w-8" />
          <span className="hidden sm:inline">Mashup studio</span>
          <span className="sr-only sm:hidden">Mashup studio</span>
        </a>
        <nav aria-label="Pages" className="flex">
          {NAVIGATION.map(([name, title]) => (
            <a
              key={name}
              href={`#/${name === 'make' ? '' : name}`}
              aria-current={page === name ? 'page' : undefined}
              className={`rounded-lg px-2.5 py-2 text-sm font-medium sm:px-3 ${
                page === name ? 'bg-raised text-ink' : 'text-soft hover:text-ink'
              }`}
            >
              {title}
            </a>
          ))}
        </nav>
        <ThemeButton />
        <a href="#/account" className="button-quiet" aria-label="Account">
          <Icon name="person" className="h-5 w-5" />
        </a>
      </div>
    </header>
  );
}

/** Switches between light and dark colours; the choice is kept in this browser. */
function ThemeButton() {
  const [isDark, setIsDark] = useState(document.documentElement.classList.contains('dark'));
  return (
    <button
      type="button"
      className="button-quiet"
      aria-label={isDark ? 'Light colours' : 'Dark colours'}
      onClick={() => {
        document.documentElement.classList.toggle('dark', !isDark);
        localStorage.setItem('mashup-theme', isDark ? 'light' : 'dark');
        setIsDark(!isDark);
      }}
    >
      <Icon name={isDark ? 'sun' : 'moon'} className="h-5 w-5" />
    </button>
  );
}
