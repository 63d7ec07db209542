import type { NextStep } from '../../src/protocol/messages';
import { element } from '../shared/dom';
import { t } from '../shared/strings';
import { button } from '../shared/ui/components';
import type { PageParts } from './page';

/** A button that goes on from what a run made. */
interface Next {
  readonly text: string;
  /** What it does, for those who hear the button alone. */
  readonly label: string;
  readonly step: NextStep;
}

const handoff = (): Next => ({
  text: t('Continue in PyTorch…'),
  label: t('Continue in PyTorch…: a project for your GPUs, a cluster or a cloud'),
  step: 'handoff',
});

/** What can be done with a grown model; the first is what most do. */
export const growthSteps = (): readonly Next[] => [
  { text: t('Train…'), label: t('Train…: on your data, from where it stands'), step: 'train' },
  {
    text: t('Compare…'),
    label: t('Compare…: growth methods, by how they train on from the same small model'),
    step: 'compare',
  },
  { text: t('Inspect'), label: t('Inspect: its tensors, with pictures'), step: 'inspect' },
  handoff(),
];

/** What can be done with a model that was trained. */
export const trainingSteps = (): readonly Next[] => [
  { text: t('Inspect'), label: t('Inspect: its tensors, with pictures'), step: 'inspect' },
  { text: t('Train On…'), label: t('Train On…: from where it stands now'), step: 'train' },
  handoff(),
];

/** The row of buttons; everything else that can be done is behind the last one. */
export const createNextSteps = (post: PageParts['post'], steps: readonly Next[]): HTMLElement =>
  element(
    'div',
    { class: 'actions' },
    ...steps.map(({ text, label, step }, index) =>
      button(text, () => post({ type: 'next', step }), {
        label,
        ...(index === 0 && { look: 'primary' as const }),
      }),
    ),
    button(t('Reveal Output'), () => post({ type: 'revealOutput' })),
    button(t('What Next…'), () => post({ type: 'whatNext' }), {
      label: t('What Next: all that can be done with it'),
    }),
  );
