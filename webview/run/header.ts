import type { RunSummary } from '../../src/protocol/messages';
import type { RunCommand } from '../../src/protocol/runFolder';
import { element, setText, type View } from '../shared/dom';
import { factList } from '../shared/factList';
import { formatInteger, formatLoss } from '../shared/format';
import { runControls } from '../shared/runControls';
import { summaryFacts } from '../shared/runFacts';
import { isLive, statusText } from '../shared/runStatus';
import { t } from '../shared/strings';

/** Title, status, progress, measures and buttons of a run. */
export function createHeader(send: (command: RunCommand) => void): View<RunSummary> {
  const title = element('h1', { class: 'grow ellipsis' });
  const status = element('span', { class: 'status', attributes: { role: 'status' } });
  const phase = element('p', { class: 'quiet' });
  const fill = element('div', { class: 'bar-fill' });
  const bar = element(
    'div',
    {
      class: 'bar',
      attributes: { role: 'progressbar', 'aria-valuemin': 0, 'aria-label': t('Progress') },
    },
    fill,
  );
  const facts = factList('facts header-facts');
  const controls = runControls(send);
  const message = element('p');
  const remedy = element('p');
  const failure = element('div', { class: 'notice bad', attributes: { role: 'alert' } });
  failure.append(message, remedy);
  return {
    element: element(
      'header',
      { class: 'run-header' },
      element('div', { class: 'row' }, title, status, controls.element),
      phase,
      bar,
      facts.element,
      failure,
    ),
    update: run => {
      const live = isLive(run.status);
      setText(title, run.title);
      title.title = run.title;
      setText(status, statusText(run.status));
      status.dataset['status'] = run.status;
      setText(phase, live ? run.phase : run.out);
      bar.hidden = !live;
      fill.style.setProperty('--share', `${(run.steps > 0 ? run.step / run.steps : 0) * 100}%`);
      bar.setAttribute('aria-valuemax', String(run.steps));
      bar.setAttribute('aria-valuenow', String(run.step));
      facts.update([
        // Of a comparison the phase tells the step, and the chart every loss.
        ...(run.steps > 0 && run.kind === 'grow'
          ? [
              {
                label: t('Step'),
                value: t('{0} of {1}', formatInteger(run.step), formatInteger(run.steps)),
              },
            ]
          : []),
        ...(run.loss === undefined || run.kind === 'compare'
          ? []
          : [{ label: t('Loss'), value: formatLoss(run.loss) }]),
        ...summaryFacts(run),
      ]);
      controls.element.hidden = !live && run.status !== 'queued';
      controls.update(run);
      failure.hidden = run.failure === undefined;
      setText(message, run.failure?.message ?? '');
      setText(remedy, run.failure?.remedy ?? '');
    },
  };
}
