import type { EditedSection } from '../../../../../music/edits/edit-state.ts';
import type { PlanEdit } from '../../../../../schema.ts';
import type { PlanEdits } from '../../../hooks/usePlanEdits.ts';
import { Icon } from '../../common/icons.tsx';
import { byLane } from '../timeline.ts';
import type { TimelineSong } from '../timeline.ts';
import { LayerEditor } from './LayerEditor.tsx';
import { titleOf } from './SectionStrip.tsx';

/** One section: its length, whether it is removed or repeated, and its layers. */
export function SectionEditor({
  section,
  edits,
  songs,
}: {
  section: EditedSection;
  edits: PlanEdits;
  songs: TimelineSong[];
}) {
  const { index, bars } = section;
  const { layers, muted = [] } = section.section;
  return (
    <section className="rounded-xl bg-raised/60 p-4" aria-label={titleOf(section)} data-testid="section-editor">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-48">
          <h3 className="font-semibold">{titleOf(section)}</h3>
          <p className="text-xs text-soft">
            {bars} {bars === 1 ? 'bar' : 'bars'}
          </p>
        </div>
        <div className="flex flex-wrap gap-1">
          <EditButton
            edits={edits}
            edit={{ kind: 'move_edge', section: index, bars: -1 }}
            name="1 bar shorter"
            icon="shorter"
          />
          <EditButton
            edits={edits}
            edit={{ kind: 'move_edge', section: index, bars: 1 }}
            name="1 bar longer"
            icon="add"
          />
          <EditButton
            edits={edits}
            edit={{ kind: 'repeat_section', section: index }}
            name="Repeat"
            icon="retry"
            isNamed
          />
          <EditButton
            edits={edits}
            edit={{ kind: 'remove_section', section: index }}
            name="Remove"
            icon="trash"
            isNamed
          />
        </div>
      </div>
      <ul className="mt-3 space-y-3 sm:space-y-1">
        {[...layers.map((layer) => ({ layer, isMuted: false })), ...muted.map((layer) => ({ layer, isMuted: true }))]
          // In the order of the lanes above: a layer that is muted stays in its place.
          .sort((a, b) => byLane(songs)(a.layer, b.layer))
          .map(({ layer, isMuted }) => (
            <LayerEditor key={`${layer.songId} ${layer.stem}`} {...{ section: index, layer, isMuted, edits, songs }} />
          ))}
      </ul>
    </section>
  );
}

/** A button for one edit. Where the edit is not possible, a press says why: users of keys and of touch read no tooltips. */
function EditButton({
  edits,
  edit,
  name,
  icon,
  isNamed = false,
}: {
  edits: PlanEdits;
  edit: PlanEdit;
  name: string;
  icon: Parameters<typeof Icon>[0]['name'];
  /** Whether the name is shown beside the icon. */
  isNamed?: boolean;
}) {
  const reason = edits.reasonAgainst(edit);
  return (
    <button
      type="button"
      className="button aria-disabled:opacity-40"
      aria-label={name}
      title={reason || name}
      aria-disabled={reason !== ''}
      onClick={() => edits.edit(edit)}
    >
      <Icon name={icon} />
      {isNamed && name}
    </button>
  );
}
