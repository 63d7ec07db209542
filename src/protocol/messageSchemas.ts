/** What pages send to the host. */
import * as z from 'zod/mini';
import { runCommand } from './runFolderSchemas';

/** Of a run. */
const run = z.string().check(z.maxLength(100));
const tensorName = z.string().check(z.maxLength(10_000));
const ready = z.object({ type: z.literal('ready') });
const grow = z.object({ type: z.literal('grow') });

/** What a run panel offers to do with the model that the run made. */
export const nextStep = z.enum(['train', 'compare', 'inspect', 'handoff']);

/** Progress view → host. */
export const fromProgress = z.discriminatedUnion('type', [
  ready,
  grow,
  z.object({ type: z.literal('control'), run, command: runCommand }),
  z.object({ type: z.literal('openRun'), run }),
  z.object({ type: z.literal('openLog'), run }),
  z.object({ type: z.literal('resumeRun'), run }),
  z.object({ type: z.literal('revealOutput'), run }),
  z.object({ type: z.literal('openReport'), run }),
  z.object({ type: z.literal('compare') }),
]);

/** Run panel → host. */
export const fromRunPanel = z.discriminatedUnion('type', [
  ready,
  z.object({ type: z.literal('control'), command: runCommand }),
  z.object({ type: z.literal('openReport') }),
  z.object({ type: z.literal('revealOutput') }),
  /** Goes on from the model that the run made. */
  z.object({ type: z.literal('next'), step: nextStep }),
  /** Offers what can be done with the trained model that a comparison kept. */
  z.object({ type: z.literal('whatNext') }),
  /** The person wants to see earlier operators: all pictures, as increments. */
  z.object({ type: z.literal('history') }),
  z.object({ type: z.literal('exactOperator'), name: z.string().check(z.maxLength(1000)) }),
  z.object({
    type: z.literal('export'),
    format: z.enum(['png', 'svg', 'csv']),
    /** Suggested file name without folder. */
    name: z.string().check(z.maxLength(300)),
    /** Text, or base64 for png. */
    content: z.string(),
  }),
]);

/** Page of several curves → host. */
export const fromCurves = ready;

/** Inspector → host. */
export const fromInspector = z.discriminatedUnion('type', [
  ready,
  grow,
  z.object({ type: z.literal('statistics'), name: tensorName }),
  /** The person wants a tensor as a file. */
  z.object({ type: z.literal('export'), name: tensorName }),
]);

/** Page of what differs between two checkpoints → host. */
export const fromDifference = z.discriminatedUnion('type', [
  ready,
  z.object({ type: z.literal('cancel') }),
  /** Once more, as after a cancellation. */
  z.object({ type: z.literal('compare') }),
  z.object({ type: z.literal('swap') }),
  /** The picture of a tensor, by what either checkpoint calls it. */
  z.object({ type: z.literal('picture'), before: tensorName, after: tensorName }),
]);
