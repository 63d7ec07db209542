import { errors, type Locator } from 'playwright-core';
import { patience } from './workbench';

/**
 * Waits for what work brings, for as long as the work goes on: however long it takes, what it shows of
 * itself must change within our patience. Rejects where it stands still and has not brought it.
 */
export async function asItGoesOn(wanted: Locator, shown: () => Promise<string>): Promise<void> {
  for (let before = await shown(); ;) {
    try {
      await wanted.waitFor({ timeout: patience });
      return;
    } catch (error) {
      const now = await shown();
      if (!(error instanceof errors.TimeoutError) || now === before) throw error;
      before = now;
    }
  }
}
