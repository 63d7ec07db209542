import type { TrainedReceipt } from '../../src/protocol/events';
import { element, type View } from '../shared/dom';
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

type Evaluation = TrainedReceipt['before'];

const figure = (value: number): string => formatValue(Number(value.toPrecision(4)));

function scores({ before, after }: TrainedReceipt): HTMLElement {
  const row = (
    label: string,
    read: (evaluation: Evaluation) => number | undefined,
    format: (value: number) => string,
  ): HTMLElement | undefined => {
    const [first, last] = [read(before), read(after)];
    if (first === undefined || last === undefined) return undefined;
    return element(
      'tr',
      {},
      element('th', { text: label, attributes: { scope: 'row' } }),
      element('td', { class: 'value', text: format(first) }),
      element('td', { class: 'value', text: format(last) }),
    );
  };
  const heading = (text: string): HTMLElement =>
    element('th', { class: 'value', text, attributes: { scope: 'col' } });
  const isLoss = after.accuracy !== undefined;
  return element(
    'table',
    { class: 'figures' },
    element('caption', { class: 'visually-hidden', text: t('Held-out losses') }),
    element(
      'thead',
      {},
      element('tr', {}, element('td'), heading(t('Before')), heading(t('After'))),
    ),
    element(
      'tbody',
      {},
      row(isLoss ? t('Held-out loss') : t('Mean squared error'), each => each.loss, formatLoss),
      row(t('Perplexity'), each => each.perplexity, figure),
      row(t('Accuracy'), each => each.accuracy, formatShare),
    ),
  );
}

/** A setting as it stands in the receipt, where it is a number or a word. */
function setting(receipt: TrainedReceipt, name: string, label: string): readonly Fact[] {
  const value = receipt.settings[name];
  if (typeof value === 'number') return [{ label, value: formatValue(value) }];
  return typeof value === 'string' ? [{ label, value }] : [];
}

function measures(receipt: TrainedReceipt): readonly Fact[] {
  const { steps, seed, seconds, flops } = receipt;
  return [
    { label: t('Steps'), value: formatInteger(steps) },
    ...setting(receipt, 'learningRate', t('Peak rate')),
    ...setting(receipt, 'schedule', t('Schedule')),
    ...setting(receipt, 'warmup', t('Warm-up')),
    ...setting(receipt, 'weightDecay', t('Weight decay')),
    { label: t('Seed'), value: String(seed) },
    { label: t('Time'), value: formatDuration(seconds) },
    { label: t('Computation'), value: formatFlops(flops.total) },
  ];
}

function sources({ source, data, engine, objective, created, software }: TrainedReceipt) {
  const bytes = data.files.reduce((sum, file) => sum + file.bytes, 0);
  const facts: readonly Fact[] = [
    { label: t('Learned'), value: objective },
    { label: t('Trained from'), value: source.path, code: true },
    { label: t('SHA-256 of that model'), value: source.sha256, code: true },
    { label: t('Data'), value: `${data.path} (${formatBytes(bytes)})`, code: true },
    {
      label:
        data.hashed === 'contents' ? t('SHA-256 of the data') : t('SHA-256 of samples of the data'),
      value: data.sha256,
      code: true,
    },
    { label: t('Held out'), value: data.heldOut },
    { label: t('Device'), value: engine.device },
    { label: t('Created'), value: formatMoment(created) },
    { label: t('By'), value: `${software.name} ${software.version}` },
  ];
  return facts;
}

/** What happened, as it stands in training.json. */
export const createTrainingView = (): View<TrainedReceipt | undefined> =>
  createReceiptCard(receipt => {
    const measured = factList();
    measured.update(measures(receipt));
    const from = factList('facts wide-facts');
    from.update(sources(receipt));
    return [element('div', { class: 'columns' }, scores(receipt), measured.element), from.element];
  });
