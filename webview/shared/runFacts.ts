import type { RunSummary } from '../../src/protocol/messages';
import type { Fact } from './factList';
import { formatBytes, formatCompact, formatDuration } from './format';
import { t } from './strings';

/** What is measured while a run goes on; nothing is said of what is not known. */
export function summaryFacts(run: RunSummary): readonly Fact[] {
  const facts: Fact[] = [];
  if (run.secondsLeft !== undefined && run.status === 'running') {
    facts.push({ label: t('Time left'), value: formatDuration(run.secondsLeft) });
  }
  if (run.tokensPerSecond !== undefined) {
    facts.push({ label: t('Tokens/s'), value: formatCompact(run.tokensPerSecond) });
  }
  if (run.memoryBytes !== undefined) {
    facts.push({ label: t('Memory'), value: formatBytes(run.memoryBytes) });
  }
  if (run.device !== undefined) {
    facts.push({ label: t('Device'), value: run.device, wide: true });
  }
  return facts;
}
