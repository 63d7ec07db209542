import type { RunStatus } from '../../src/protocol/messages';
import { t } from './strings';

/** A run's status in words. */
export function statusText(status: RunStatus): string {
  const texts: Record<RunStatus, string> = {
    queued: t('Queued'),
    starting: t('Starting'),
    running: t('Running'),
    paused: t('Paused'),
    finishing: t('Finishing'),
    done: t('Done'),
    failed: t('Failed'),
    cancelled: t('Cancelled'),
  };
  return texts[status];
}

/** Whether a worker works on the run now. */
export const isLive = (status: RunStatus): boolean =>
  status === 'starting' || status === 'running' || status === 'paused' || status === 'finishing';
