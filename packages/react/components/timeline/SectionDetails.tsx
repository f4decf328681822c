import { Fragment, useId } from 'react';
import type { MashupSection } from '../../../../music/plan/timeline.ts';
import { describeEffect } from '../../../../music/texts/effect-texts.ts';
import { stemTitle } from '../../../../music/theory/stem-texts.ts';
import { clock, decibels, percent } from '../../texts.ts';
import { colorOf, describedParts, placeOf } from './timeline.ts';
import type { TimelineSong } from './timeline.ts';

type Layer = MashupSection['layers'][number];

/** One section with its layers: stem, song, level, effects and reason. */
export function SectionDetails({
  section,
  index,
  songs,
}: {
  section: MashupSection;
  /** Position of the section, from 0; names a section without a description. */
  index: number;
  songs: TimelineSong[];
}) {
  const id = useId();
  const { name, text } = describedParts(section.description);
  return (
    <section className="mt-4 rounded-xl bg-raised/60 p-4" aria-labelledby={`${id}section`}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 id={`${id}section`} className="font-semibold">
          {name || `Section ${index + 1}`}
        </h3>
        <p className="text-xs text-soft">
          {clock(section.start)} – {clock(section.start + section.duration)}
          {section.energy_level !== undefined && ` · energy ${percent(section.energy_level)}`}
        </p>
      </div>
      {text !== '' && <p className="mt-1 text-sm">{text}</p>}
      <ul className="mt-3 space-y-2.5 text-sm">
        {section.layers.map((layer) => (
          <LayerItem key={`${layer.songId} ${layer.stem}`} layer={layer} bars={section.bars} songs={songs} />
        ))}
      </ul>
    </section>
  );
}

function LayerItem({ layer, bars, songs }: { layer: Layer; bars: number | undefined; songs: TimelineSong[] }) {
  const song = songs[placeOf(songs, layer.songId)];
  return (
    <li className="grid grid-cols-[0.5rem_1fr] gap-x-2.5">
      <span
        aria-hidden="true"
        className="mt-1.5 h-2 w-2 rounded-full"
        style={{ background: colorOf({ songId: layer.songId, stem: layer.stem }, songs) }}
      />
      <div>
        <p>
          <span className="font-medium">{stemTitle(layer.stem)}</span>
          {song && ` of ${song.name}`}
          {layer.source_start_sec !== undefined && (
            <span className="text-soft"> from {clock(layer.source_start_sec)}</span>
          )}
          <span className="whitespace-nowrap text-soft">
            {' '}
            · {layer.volume_db === undefined ? percent(layer.volume) : decibels(layer.volume_db)}
          </span>
          {layer.effects?.map((effect) => (
            <Fragment key={effect}>
              {' '}
              <span className="chip">{describeEffect(effect, bars)}</span>
            </Fragment>
          ))}
        </p>
        {layer.why && <p className="text-soft">{layer.why}</p>}
      </div>
    </li>
  );
}
