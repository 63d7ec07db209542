import { fileName } from '../heatmap/exports';
import { element } from '../shared/dom';
import { t } from '../shared/strings';
import { button } from '../shared/ui/components';
import { curveCsv, curveSvg } from './chartExport';
import { levelName, levelsOf } from './chartFrame';
import { curveRows } from './curveRows';
import type { LossChart } from './lossChart';
import type { PageParts } from './page';
import type { PageRun } from './runState';

type Format = 'png' | 'svg' | 'csv';

/** Buttons that save the curves of a run as a file. */
export function curveExports(
  chart: LossChart,
  post: PageParts['post'],
  shown: () => PageRun | undefined,
): HTMLElement {
  const save = (format: Format): HTMLElement =>
    button(
      format.toUpperCase(),
      () => {
        const run = shown();
        if (run) exportCurve(run, format);
      },
      { label: t('Save the loss curve as {0}', format.toUpperCase()) },
    );

  function exportCurve({ summary, curve, evaluations }: PageRun, format: Format): void {
    const name = `${fileName(`${summary.title} ${t('Batch loss')}`)}.${format}`;
    if (format === 'png') {
      const content = chart.picture()?.toDataURL().split(',')[1];
      if (content !== undefined) post({ type: 'export', format, name, content });
      return;
    }
    const { steps, losses } = curve;
    const isTraining = summary.kind === 'train';
    const levels = isTraining
      ? []
      : levelsOf(evaluations).map(({ model, loss }) => ({ name: levelName(model), loss }));
    const rows = curveRows({ curve, evaluations, isTraining });
    const curveOf = (title: string, key: 'heldOut' | 'rate') => ({
      name: title,
      points: rows.flatMap(row =>
        Number.isFinite(row[key]) ? [{ step: row.step, value: row[key] }] : [],
      ),
    });
    const heldOut = isTraining ? [curveOf(t('Held-out loss'), 'heldOut')] : [];
    const rates = isTraining ? [curveOf(t('Learning rate'), 'rate')] : [];
    const content =
      format === 'csv'
        ? curveCsv(steps, losses, levels, [...heldOut, ...rates])
        : curveSvg(summary.title, steps, losses, levels, heldOut);
    post({ type: 'export', format, name, content });
  }

  return element('div', { class: 'actions chart-exports' }, save('png'), save('svg'), save('csv'));
}
