import type { RunSummary } from '../../src/protocol/messages';
import type { RunCommand } from '../../src/protocol/runFolder';
import { element, setText, type View } from '../shared/dom';
import type { Fact } from '../shared/fact';
import { factList } from '../shared/factList';
import { formatInteger } from '../shared/format';
import { progressBar } from '../shared/progressBar';
import { runControls } from '../shared/runControls';
import { newestLoss, summaryFacts } from '../shared/runFacts';
import { failureNotice, showTitle, statusLabel } from '../shared/runParts';
import { isLive } from '../shared/runStatus';
import { t } from '../shared/strings';

/** Title, status, progress, measures and buttons of a run. */
export function createHeader(send: (command: RunCommand) => void): View<RunSummary> {
  const title = element('h1', { class: 'grow wraps' });
  const status = statusLabel('status');
  const phase = element('p', { class: 'quiet' });
  const bar = progressBar();
  const facts = factList('facts header-facts');
  const controls = runControls(send);
  const failure = failureNotice('alert');
  return {
    element: element(
      'header',
      { class: 'run-header' },
      element('div', { class: 'row' }, title, status.element, controls.element),
      phase,
      bar.element,
      facts.element,
      failure.element,
    ),
    update: run => {
      const live = isLive(run.status);
      showTitle(title, run.title);
      status.update(run.status);
      setText(phase, live ? run.phase : run.out);
      bar.element.hidden = !live;
      bar.update(run);
      facts.update([
        // Of a comparison the phase tells the step, and the chart every loss.
        ...(run.steps > 0 && run.kind !== 'compare'
          ? [
              {
                label: t('Step'),
                value: t('{0} of {1}', formatInteger(run.step), formatInteger(run.steps)),
              },
            ]
          : []),
        ...(run.kind === 'compare' ? [] : lossOf(run)),
        ...summaryFacts(run),
      ]);
      controls.element.hidden = !live && run.status !== 'queued';
      controls.update(run);
      failure.update(run.failure);
    },
  };
}

/** Its newest loss, by what it was measured on. */
function lossOf(run: RunSummary): readonly Fact[] {
  const loss = newestLoss(run);
  if (!loss) return [];
  return [
    { label: loss.kind === 'heldOut' ? t('Held-out loss') : t('Batch loss'), value: loss.text },
  ];
}
