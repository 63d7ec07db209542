import type { RunSummary } from '../../src/protocol/messages';
import type { Fact } from './fact';
import { formatBytes, formatCompact, formatDuration, formatLoss, formatShare } from './format';
import { t } from './strings';

/** The loss of what came out; of a run that has not come so far, of its newest batch. */
export function newestLoss({
  heldOutLoss,
  loss,
}: RunSummary): { readonly kind: 'heldOut' | 'batch'; readonly text: string } | undefined {
  if (heldOutLoss !== undefined) return { kind: 'heldOut', text: formatLoss(heldOutLoss) };
  return loss === undefined ? undefined : { kind: 'batch', text: formatLoss(loss) };
}

/** What is measured while a run goes on; nothing is said of what is not known. */
export function summaryFacts(run: RunSummary): readonly Fact[] {
  const facts: Fact[] = [];
  if (run.secondsLeft !== undefined && run.status === 'running') {
    facts.push({ label: t('Time left'), value: formatDuration(run.secondsLeft) });
  }
  if (run.tokensPerSecond !== undefined) {
    facts.push({ label: t('Tokens/s'), value: formatCompact(run.tokensPerSecond) });
  }
  if (run.usage !== undefined) {
    facts.push({ label: t('Memory'), value: formatBytes(run.usage.residentBytes) });
  }
  const device = run.usage?.device && describeDevice(run.usage.device);
  if (device) facts.push({ label: t('GPU'), value: device, wide: true });
  const engine = run.reason ?? run.device;
  if (engine !== undefined) {
    facts.push({ label: t('Engine'), value: engine, wide: true });
  }
  return facts;
}

/** Memory and load of a device on one line, as far as they are known. */
function describeDevice({
  usedBytes,
  totalBytes,
  utilization,
}: NonNullable<NonNullable<RunSummary['usage']>['device']>): string {
  const parts = [
    ...(usedBytes !== undefined && totalBytes !== undefined
      ? [t('{0} of {1}', formatBytes(usedBytes), formatBytes(totalBytes))]
      : []),
    ...(utilization === undefined ? [] : [t('{0} busy', formatShare(utilization))]),
  ];
  return parts.join(', ');
}
