import type { LoggedReceipt } from '../../src/protocol/events';
import { methodTitle } from '../../src/protocol/methodTitles';
import { element, endShown, type View } from '../shared/dom';
import type { Fact } from '../shared/fact';
import { factList } from '../shared/factList';
import {
  formatBytes,
  formatDuration,
  formatFlops,
  formatInteger,
  formatLoss,
  formatMoment,
  formatShare,
  formatValue,
} from '../shared/format';
import { t } from '../shared/strings';
import { createReceiptCard } from './receiptCard';

type Losses = NonNullable<LoggedReceipt['losses']>;

const figure = (value: number): string => formatValue(Number(value.toPrecision(4)));
const orNothing = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? '' : format(value);

function lossTable(losses: Losses): HTMLElement {
  // What one of the models has, all have: it goes by what is learned.
  const { accuracy, perplexity } = losses.after;
  const hasAccuracy = accuracy !== undefined;
  const hasPerplexity = perplexity !== undefined;
  const rows = [
    { label: t('Small model'), evaluation: losses.small },
    { label: t('Grown, before learning'), evaluation: losses.before },
    { label: t('Grown, after learning'), evaluation: losses.after },
    { label: t('Grown, in float32'), evaluation: losses.float32 },
  ];
  const cell = (text: string): HTMLElement => element('td', { class: 'value', text });
  const heading = (text: string): HTMLElement =>
    element('th', { class: 'value', text, attributes: { scope: 'col' } });
  return element(
    'table',
    { class: 'figures' },
    element('caption', { class: 'visually-hidden', text: t('Held-out losses') }),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('td'),
        heading(hasAccuracy ? t('Loss') : t('Mean squared error')),
        hasPerplexity ? heading(t('Perplexity')) : undefined,
        hasAccuracy ? heading(t('Accuracy')) : undefined,
      ),
    ),
    element(
      'tbody',
      {},
      ...rows.map(({ label, evaluation }) =>
        evaluation === undefined
          ? undefined
          : element(
              'tr',
              { class: evaluation === losses.after ? 'strong' : '' },
              element('th', { text: label, attributes: { scope: 'row' } }),
              cell(formatLoss(evaluation.loss)),
              hasPerplexity ? cell(orNothing(evaluation.perplexity, figure)) : undefined,
              hasAccuracy ? cell(orNothing(evaluation.accuracy, formatShare)) : undefined,
            ),
      ),
      element(
        'tr',
        { class: 'quiet' },
        element('th', {
          text: hasAccuracy ? t('Frequencies alone') : t('The mean alone'),
          attributes: { scope: 'row' },
        }),
        cell(formatLoss(losses.frequencies)),
        hasPerplexity ? element('td') : undefined,
        hasAccuracy ? element('td') : undefined,
      ),
    ),
  );
}

function measures(receipt: LoggedReceipt): readonly Fact[] {
  const { parity, drift, flops, seconds } = receipt;
  return [
    { label: t('Method'), value: methodTitle(receipt.method.name) },
    { label: t('Steps'), value: formatInteger(receipt.steps) },
    { label: t('Seed'), value: String(receipt.seed) },
    ...(seconds === undefined ? [] : [{ label: t('Time'), value: formatDuration(seconds) }]),
    ...(flops === undefined ? [] : [{ label: t('Computation'), value: formatFlops(flops.total) }]),
    ...(parity === undefined
      ? []
      : [
          ...(parity.agreement === undefined
            ? []
            : [{ label: t('Same answer as small'), value: formatShare(parity.agreement) }]),
          { label: t('Logits differ by'), value: formatShare(parity.relativeError) },
        ]),
    ...Object.entries(drift?.groups ?? {}).map(([group, value]) => ({
      label: group === 'width' ? t('Drift of width') : t('Drift of depth'),
      value: formatShare(value),
    })),
  ];
}

function sources(receipt: LoggedReceipt): readonly Fact[] {
  const { source, data, engine } = receipt;
  return [
    { label: t('Small model'), value: source.path, code: true },
    { label: t('SHA-256 of the small model'), value: source.sha256, code: true },
    ...(data === undefined
      ? []
      : [
          {
            label: t('Data'),
            value: `${data.path} (${formatBytes(data.files.reduce((sum, file) => sum + file.bytes, 0))})`,
            code: true,
          },
          {
            label:
              data.hashed === 'contents'
                ? t('SHA-256 of the data')
                : t('SHA-256 of samples of the data'),
            value: data.sha256,
            code: true,
          },
          { label: t('Held out'), value: data.heldOut },
        ]),
    ...(engine === undefined ? [] : [{ label: t('Device'), value: engine.device }]),
    { label: t('Created'), value: formatMoment(receipt.created) },
    { label: t('By'), value: `${receipt.software.name} ${receipt.software.version}` },
  ];
}

/** How far each operator moved, as bars, furthest first. */
function driftList(operators: Readonly<Record<string, number>>): HTMLElement {
  const entries = Object.entries(operators).sort(([, a], [, b]) => b - a);
  const largest = entries[0]?.[1] ?? 1;
  return element(
    'details',
    {},
    element('summary', { text: t('How far each operator moved ({0})', entries.length) }),
    element(
      'ul',
      { class: 'drift' },
      ...entries.map(([name, value]) => {
        const bar = element('span', { class: 'drift-bar' });
        bar.style.setProperty('width', `${(value / (largest || 1)) * 100}%`);
        return element(
          'li',
          {},
          endShown('code', name),
          element('span', { class: 'drift-track', attributes: { 'aria-hidden': 'true' } }, bar),
          element('span', { class: 'number value', text: formatShare(value) }),
        );
      }),
    ),
  );
}

/** What happened, as it stands in growth.json. */
export const createReceiptView = (): View<LoggedReceipt | undefined> =>
  createReceiptCard(receipt => {
    const measured = factList();
    measured.update(measures(receipt));
    const from = factList('facts wide-facts');
    from.update(sources(receipt));
    return [
      element(
        'div',
        { class: 'columns' },
        ...(receipt.losses === undefined ? [] : [lossTable(receipt.losses)]),
        measured.element,
      ),
      from.element,
      ...(receipt.drift === undefined ? [] : [driftList(receipt.drift.operators)]),
    ];
  });
