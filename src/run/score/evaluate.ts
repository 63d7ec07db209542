import { frequencyLoss } from '../../training';
import type { Note } from '../../errors';
import type { Evaluation } from '../../protocol/evaluation';
import { collectWarnings, report, warn, type RunContext } from '../context';
import type { DataOptions } from '../open/openData';
import { readParameters } from '../open/model';
import { requireHead } from '../plan/plan';
import { warningOfLength } from './positionLosses';
import { useEngine, useModel } from '../open/resources';
import { useData } from './runData';
import { plainModel, scoreModel } from './scoring';
import { stoppable } from '../stop/stop';

/** Held-out scores of a checkpoint. */
export interface EvaluationResult extends Evaluation {
  /** What predicting every target by its frequency alone scores. */
  readonly frequencies: number;
  /** What a person should know of the checkpoint and the data. */
  readonly notes: readonly Note[];
}

/** Scores a checkpoint on held-out data. */
export function evaluateCheckpoint(
  caller: RunContext,
  request: { readonly checkpoint: string; readonly data: DataOptions },
): Promise<EvaluationResult> {
  const { context, warnings } = collectWarnings(caller);
  return stoppable(context, async () => {
    await using model = await useModel(request.checkpoint);
    warn(context, model.notes);
    requireHead(model);
    await using started = await useEngine(context);
    const { engine } = started;
    await using data = await useData(engine, model, request.data);
    warn(context, data.notes);
    const sha256 = await model.checkpoint.sha256();
    const values = await readParameters(model);
    const scored = plainModel(model.architecture, values, 'model');
    const { batches, shape, targets } = data;
    const tooLong = await warningOfLength(engine, scored, data, context.signal);
    if (tooLong) warn(context, [tooLong]);
    const scores = await scoreModel(engine, scored, batches, shape, context.signal);
    report(context, { type: 'evaluation', model: 'small', step: 0, ...scores });
    const frequencies = await frequencyLoss(batches, targets);
    await model.checkpoint.requireUnchanged(sha256);
    warn(context, await batches.requireUnchanged());
    return { ...scores, frequencies, notes: [...warnings] };
  });
}
