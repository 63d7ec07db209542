import type { HandoffOutlook } from '../../protocol/handoff';
import { useModel } from '../open/resources';
import { defaultTrainSettings } from '../settings';
import { requireLoadable } from './handoff';
import { latest, readReceipts } from '../open/receipts';
import { saidBy } from './request';

/** What there is to know before a checkpoint is handed over. @throws UserError where it cannot be */
export async function handoffOutlook(checkpoint: string): Promise<HandoffOutlook> {
  await using model = await useModel(checkpoint);
  await requireLoadable(model);
  const receipts = await readReceipts(model.checkpoint.directory);
  const { separator, ...said } = saidBy(receipts);
  const from = latest(receipts)?.from;
  const joins = model.architecture.objective === 'causal-language-modeling';
  return {
    said,
    asksSeparator: joins && separator === undefined,
    usualSchedule: defaultTrainSettings.schedule,
    ...(from !== undefined && { from }),
  };
}
