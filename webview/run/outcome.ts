import type { TrainedReceipt } from '../../src/protocol/events';
import { formatLoss, plural } from '../shared/format';
import { t } from '../shared/strings';

/** What came of a training, in a sentence with the receipt's numbers. */
export function outcomeText({ steps, before, after, fromScratch }: TrainedReceipt): string {
  const trained = fromScratch
    ? plural(
        steps,
        'Trained from random weights for {0} step.',
        'Trained from random weights for {0} steps.',
      )
    : plural(steps, 'Trained for {0} step.', 'Trained for {0} steps.');
  const [from, to] = [formatLoss(before.loss), formatLoss(after.loss)];
  const fell =
    after.loss < before.loss
      ? t('Held-out loss fell from {0} to {1}.', from, to)
      : after.loss > before.loss
        ? t('Held-out loss rose from {0} to {1}: it is worse on held-out data now.', from, to)
        : t('Held-out loss stayed at {0}.', to);
  return `${trained} ${fell}`;
}
