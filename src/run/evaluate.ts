import { frequencyLoss } from '../training';
import type { Evaluation } from '../protocol/events';
import { report, type RunContext } from './context';
import type { DataOptions } from './data';
import { readParameters } from './model';
import { requireHead } from './plan';
import { warningOfLength } from './positionLosses';
import { withData, withEngine, withModel } from './resources';
import { plainModel, scoreModel } from './scoring';
import { stoppable } from './stop';

/** Held-out scores of a checkpoint. */
export interface EvaluationResult extends Evaluation {
  /** What predicting every target by its frequency alone scores. */
  readonly frequencies: number;
}

/** Scores a checkpoint on held-out data. */
export function evaluateCheckpoint(
  context: RunContext,
  request: { readonly checkpoint: string; readonly data: DataOptions },
): Promise<EvaluationResult> {
  return stoppable(context, () =>
    withModel(request.checkpoint, async model => {
      requireHead(model);
      return withEngine(context, engine =>
        withData(engine, model, request.data, async data => {
          const values = await readParameters(model);
          const scored = plainModel(model.architecture, values, 'model');
          const { batches, shape, classes } = data;
          const tooLong = await warningOfLength(engine, scored, data, context.signal);
          if (tooLong) report(context, { type: 'warning', ...tooLong });
          const scores = await scoreModel(engine, scored, batches, shape, context.signal);
          report(context, { type: 'evaluation', model: 'small', step: 0, ...scores });
          return { ...scores, frequencies: await frequencyLoss(batches, classes) };
        }),
      );
    }),
  );
}
