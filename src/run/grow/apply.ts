import type { GgufType } from '../../protocol/conversion';
import type { Receipt } from '../../protocol/events';
import { copyCompanions } from '../write/companions';
import { collectWarnings, report, warn, type RunContext } from '../context';
import { requireGguf } from '../convert/ggufBeside';
import { writeGrownGguf } from './grownGguf';
import { parameterGrower, readOperators, writeOperators } from './grownParameters';
import { readSmallValues } from '../open/model';
import { requireGrowth, resolveTarget, type Target } from '../plan/plan';
import { growthReceipt, writeReceipt } from '../write/receipt';
import { useEngine, useModel, withOutput } from '../open/resources';
import { stoppable } from '../stop/stop';
import { untilAborted } from '../write/parameterValues';
import { writeModel } from '../write/writeModel';

/** Building a grown checkpoint from operators that were learned before. */
export interface ApplyRequest {
  readonly checkpoint: string;
  readonly target: Target;
  /** A safetensors file with our names, or the released LiGO code's. */
  readonly operators: string;
  readonly out: string;
  /** Writes the grown model as a GGUF file, too. */
  readonly gguf?: GgufType | undefined;
  readonly overwrite?: boolean;
  readonly maxShardBytes?: number | undefined;
}

/** Grows a checkpoint by given operators; the same operators give the same bytes as `grow`. */
export async function apply(caller: RunContext, request: ApplyRequest): Promise<Receipt> {
  const { context, warnings } = collectWarnings(caller);
  await using model = await useModel(request.checkpoint);
  warn(context, model.notes);
  const target = await resolveTarget(model, request.target);
  warn(context, target.notes);
  const growth = requireGrowth(model, target);
  if (request.gguf) await requireGguf(model, request.gguf, growth.target);
  const applied = await readOperators(request.operators, growth);
  const receipt = await stoppable(context, () =>
    withOutput(request.out, request.overwrite ?? false, async directory => {
      const companions = await copyCompanions(model.checkpoint, directory);
      await using started = await useEngine(context);
      const { engine } = started;
      const small = await readSmallValues(model, growth);
      const sha256 = await model.checkpoint.sha256();
      const { operators, freshness } = applied;
      await using grower = parameterGrower(engine, growth, operators, small, freshness);
      const values = untilAborted(context.signal, grower.values);
      const written = await writeModel(directory, model, growth.target, values, request);
      await written[Symbol.asyncDispose]();
      await writeOperators(directory, growth, applied, sha256);
      const gguf = await writeGrownGguf(context, directory, { ...request, growth });
      await model.checkpoint.requireUnchanged(sha256);
      warn(context, await companions.notes());
      const settings = {
        operators: request.operators,
        operatorsSha256: applied.sha256,
      };
      const receipt = growthReceipt({
        model,
        growth,
        sha256,
        companions: companions.files,
        created: context.now(),
        engine: engine.description,
        method: { name: 'apply', settings },
        seed: 0,
        steps: 0,
        data: undefined,
        gguf,
        measured: {},
        warnings,
      });
      await writeReceipt(directory, receipt);
      return receipt;
    }),
  );
  report(context, { type: 'done', out: request.out, receipt });
  return receipt;
}
