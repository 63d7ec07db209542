import type { GrowthPlan } from '../../src/protocol/events';
import type { ModelSummary } from '../../src/protocol/model';
import { element, type View } from '../shared/dom';
import { factList } from '../shared/factList';
import { formatBytes, formatCompact, formatFlops, formatInteger } from '../shared/format';
import { notice } from '../shared/notice';
import { t } from '../shared/strings';

/** Small and large model side by side: what grows and by how much. */
function sizeTable(source: ModelSummary, target: ModelSummary): HTMLElement {
  const rows: readonly (readonly [string, number | undefined, number | undefined])[] = [
    [t('Layers'), source.layers, target.layers],
    [t('Hidden size'), source.hidden, target.hidden],
    [t('Attention heads'), source.heads, target.heads],
    [t('Key-value heads'), source.kvHeads, target.kvHeads],
    [t('Feed-forward size'), source.ffn, target.ffn],
    [t('Parameters'), source.parameters, target.parameters],
  ];
  const head = ['', t('Small'), t('Large'), t('Factor')].map(text =>
    text === ''
      ? element('td')
      : element('th', { text, class: 'value', attributes: { scope: 'col' } }),
  );
  return element(
    'table',
    { class: 'figures' },
    element('thead', {}, element('tr', {}, ...head)),
    element(
      'tbody',
      {},
      ...rows.flatMap(([label, small, large]) =>
        small === undefined || large === undefined ? [] : [sizeRow(label, small, large)],
      ),
    ),
  );
}

const sizeRow = (label: string, small: number, large: number): HTMLElement =>
  element(
    'tr',
    {},
    element('th', { text: label, attributes: { scope: 'row' } }),
    element('td', { class: 'value', text: formatInteger(small) }),
    element('td', { class: 'value', text: formatInteger(large) }),
    element('td', {
      class: 'value quiet',
      text: `×${small > 0 ? Number((large / small).toPrecision(3)) : '–'}`,
    }),
  );

/** What the growth does and costs, as known before it ran. */
export function createPlanView(): View<GrowthPlan | undefined> {
  const content = element('div', { class: 'columns' });
  const refusals = element('div', { class: 'stack' });
  const root = element(
    'section',
    { class: 'card', attributes: { 'aria-labelledby': 'plan-title' } },
    element('h2', { text: t('Plan'), attributes: { id: 'plan-title' } }),
    refusals,
    content,
  );
  return {
    element: root,
    update: plan => {
      root.hidden = plan === undefined;
      if (plan === undefined) return;
      const { cost, operators } = plan;
      const facts = factList();
      facts.update([
        { label: t('Model'), value: plan.target.modelClass },
        ...(cost === undefined || plan.source.learns === undefined
          ? []
          : [{ label: t('Learned'), value: plan.source.learns }]),
        {
          label: t('Operators'),
          value: t(
            '{0} (width {1}, depth {2} numbers)',
            operators.count,
            formatCompact(operators.width),
            formatCompact(operators.depth),
          ),
        },
        { label: t('On disk'), value: formatBytes(plan.diskBytes) },
        ...(cost === undefined
          ? []
          : [
              { label: t('Steps'), value: formatInteger(cost.steps) },
              {
                label: t('Batch'),
                value: `${formatInteger(cost.batchSize)} × ${formatInteger(cost.sequenceLength)}`,
              },
              { label: t('One step'), value: formatFlops(cost.flopsPerStep) },
              { label: t('All steps'), value: formatFlops(cost.flops) },
              {
                label: t('Memory at most'),
                value: formatBytes(cost.processBytes ?? cost.peakBytes),
              },
            ]),
      ]);
      content.replaceChildren(sizeTable(plan.source, plan.target), facts.element);
      refusals.replaceChildren(
        ...plan.refusals.map(({ reason, remedy }) => notice(reason, remedy, 'bad')),
        ...(plan.notes ?? []).map(({ message, remedy }) => notice(message, remedy)),
        ...plan.ignored.map(({ name, reason }) =>
          element(
            'div',
            { class: 'notice' },
            element('p', {}, element('code', { text: name }), `: ${reason}`),
          ),
        ),
      );
      refusals.hidden = refusals.childElementCount === 0;
    },
  };
}
