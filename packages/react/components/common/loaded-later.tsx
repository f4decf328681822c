import { useEffect, useState } from 'react';
import type { ComponentType, ReactNode } from 'react';
import { Icon } from './icons.tsx';
import { Notice } from './Notice.tsx';

const CANNOT_BE_LOADED = {
  message: 'This part of the page cannot be loaded.',
  hint: 'Check the connection, then try again. If the studio was updated, reload the page.',
};

/**
 * Returns a component whose code is loaded when it is shown for the first time. If that fails (no network, or files of an earlier
 * version that are gone), the rest of the page stays as it is, and the user can try again.
 * @param load imports the module whose default export is the component
 * @param fallback what is shown meanwhile
 */
export function loadedLater<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
  fallback: ReactNode = null,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function LoadedLater(props: Props) {
    const [Part, setPart] = useState<ComponentType<Props> | undefined>(() => loaded);
    const [attempt, setAttempt] = useState(1);
    const [failed, setFailed] = useState(0);
    useEffect(() => {
      if (loaded) return;
      let isShown = true;
      load().then(
        (module) => {
          loaded = module.default;
          if (isShown) setPart(() => module.default);
        },
        () => isShown && setFailed(attempt),
      );
      return () => {
        isShown = false;
      };
    }, [attempt]);

    if (Part) return <Part {...props} />;
    if (failed < attempt) return fallback;
    return (
      <Notice problem={CANNOT_BE_LOADED}>
        <button type="button" className="button mt-2" onClick={() => setAttempt(attempt + 1)}>
          <Icon name="retry" />
          Try again
        </button>
      </Notice>
    );
  };
}
