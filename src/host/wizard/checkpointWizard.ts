import type { CheckpointSummary } from '../../protocol/service';
import { runSteps, type NoAnswer, type StepFrame } from './steps';
import { askCheckpoint, type WizardParts } from './wizardSteps';

/** A wizard about one checkpoint. */
interface CheckpointWizard<D> {
  readonly title: string;
  readonly totalSteps: number;
  /** How it is asked for. */
  readonly words?: Parameters<typeof askCheckpoint>[2];
  /** Throws UserError for a checkpoint that it cannot go on with. */
  readonly require?: (checkpoint: CheckpointSummary) => void;
  /** What is known before anything is asked. */
  readonly start: D;
  /** What is asked behind the checkpoint. */
  readonly steps: (
    frame: (step: number) => StepFrame,
  ) => readonly ((draft: D) => Promise<D | NoAnswer | 'skip'>)[];
}

/** Runs its steps, with the checkpoint that a command names, or with one that it asks for first. */
export async function runCheckpointWizard<D extends { readonly checkpoint?: CheckpointSummary }>(
  parts: WizardParts,
  checkpointPath: string | undefined,
  { title, totalSteps, words, require, start, steps }: CheckpointWizard<D>,
): Promise<D | undefined> {
  const given =
    checkpointPath === undefined
      ? undefined
      : await parts.service.call('summarize', checkpointPath);
  if (given) require?.(given);
  const frame = (step: number): StepFrame => ({ title, step, totalSteps });
  const choose = async (draft: D): Promise<D | NoAnswer | 'skip'> => {
    if (given) return 'skip';
    const checkpoint = await askCheckpoint(parts, frame(1), words);
    if (typeof checkpoint === 'symbol') return checkpoint;
    require?.(checkpoint);
    return { ...draft, checkpoint };
  };
  return runSteps(given ? { ...start, checkpoint: given } : start, [choose, ...steps(frame)]);
}
