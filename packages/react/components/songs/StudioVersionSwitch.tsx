import type { MashupOptions } from '@mashup-engine/client';

/** Whether a draft with fast stems is made first, and a studio version with better ones afterwards. */
export function StudioVersionSwitch({
  options,
  isOnByDefault,
  onChange,
}: {
  options: MashupOptions;
  isOnByDefault: boolean;
  onChange: (options: MashupOptions) => void;
}) {
  // The built-in method alone makes no studio version.
  const isPossible = options.separation !== 'classical';
  return (
    <label className="flex min-h-8 cursor-pointer items-start gap-2 text-sm sm:col-span-full">
      <input
        type="checkbox"
        checked={isPossible && (options.studioVersion ?? isOnByDefault)}
        disabled={!isPossible}
        onChange={(event) => onChange({ ...options, studioVersion: event.target.checked })}
        className="mt-0.5 h-4 w-4 shrink-0 accent-accent"
      />
      <span>
        Studio version afterwards
        <span className="block text-xs text-soft">
          You hear a draft sooner. Then the same mashup is made with better stems, and you can compare both.
        </span>
      </span>
    </label>
  );
}
