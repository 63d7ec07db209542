import { sha256OfFiles } from '../checkpoint/hash';
import { openCheckpoint } from '../checkpoint/checkpoint';
import { CorruptFileError } from '../errors';
import {
  checkOperators,
  fromReleasedNames,
  isReleasedNaming,
  type Growth,
  type OperatorValues,
} from '../growth';
import type { Receipt } from '../protocol/events';
import { report, type RunContext } from './context';
import { parameterGrower, writeOperators } from './grownParameters';
import { readSmallValues } from './model';
import { requireGrowth, resolveTarget, type Target } from './plan';
import { growthReceipt, writeReceipt } from './receipt';
import { withEngine, withModel, withOutput } from './resources';
import { stoppable } from './stop';
import { untilAborted, writeModel } from './writeModel';

/** Building a grown checkpoint from operators that were learned before. */
export interface ApplyRequest {
  readonly checkpoint: string;
  readonly target: Target;
  /** A safetensors file with our names, or the released LiGO code's. */
  readonly operators: string;
  readonly out: string;
  readonly overwrite?: boolean;
  readonly maxShardBytes?: number | undefined;
}

/** Grows a checkpoint by given operators; the same operators give the same bytes as `grow`. */
export function apply(context: RunContext, request: ApplyRequest): Promise<Receipt> {
  return withModel(request.checkpoint, async model => {
    const growth = requireGrowth(model, await resolveTarget(model, request.target));
    const operators = await readOperators(request.operators, growth);
    const receipt = await stoppable(context, () =>
      withOutput(request.out, request.overwrite ?? false, directory =>
        withEngine(context, async engine => {
          const small = await readSmallValues(model, growth);
          const sha256 = await sha256OfFiles(model.checkpoint.files);
          const grower = parameterGrower(engine, growth, operators, small);
          const values = untilAborted(context.signal, grower);
          await writeModel(directory, model, growth.target, values, request);
          await writeOperators(directory, growth, operators, { format: 'ligo', source: sha256 });
          const settings = {
            operators: request.operators,
            operatorsSha256: await sha256OfFiles([request.operators]),
          };
          const applied = growthReceipt({
            ...{ model, growth, sha256, created: context.now(), engine: engine.description },
            method: { name: 'apply', settings },
            ...{ seed: 0, steps: 0, data: undefined, measured: {}, warnings: [] },
          });
          await writeReceipt(directory, applied);
          return applied;
        }),
      ),
    );
    report(context, { type: 'done', out: request.out, receipt });
    return receipt;
  });
}

/** Operators of a file under our names, checked against the growth. */
async function readOperators(path: string, growth: Growth): Promise<OperatorValues> {
  const file = await openCheckpoint(path);
  try {
    const values: Record<string, Float32Array> = {};
    for (const name of file.tensors.keys()) {
      const data = await file.readFloat32(name);
      if (!data.every(Number.isFinite)) {
        throw new CorruptFileError(
          `${path}: the operator ${name} holds values that are no numbers.`,
          'Use operators from a run that did not diverge.',
        );
      }
      values[name] = data;
    }
    return isReleasedNaming(file.tensors.keys())
      ? fromReleasedNames(growth, values)
      : checkOperators(growth, values);
  } finally {
    await file.close();
  }
}
