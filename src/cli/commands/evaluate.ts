import type { Command } from 'commander';
import { lossUnitOf } from '../../protocol/evaluation';
import { addDataOptions, requiredDataOf, type DataFlags } from '../dataOptions';
import { formatCount, formatLoss, formatShare } from '../format';
import { printLine, type Host } from '../host';
import { quietContext, rateUnit, type JobOptions } from '../job';
import { addEngineOptions, addOutputOptions, addSeedOption } from '../options';
import { formatFields } from '../table';

/** `ligo evaluate`: held-out scores. */
export function addEvaluateCommand(program: Command, host: Host): void {
  const command = program
    .command('evaluate <checkpoint>')
    .description(
      'held-out loss of a checkpoint, with its accuracy and perplexity where it has them',
    );
  addDataOptions(command);
  addSeedOption(addEngineOptions(command));
  addOutputOptions(command).action(async (checkpoint: string, options: JobOptions & DataFlags) => {
    const context = quietContext(host, options);
    const data = await requiredDataOf(checkpoint, options);
    const { evaluateCheckpoint } = await import('../../run/score/evaluate');
    const result = await evaluateCheckpoint(context, { checkpoint, data });
    const unit = await rateUnit(checkpoint);
    const lossUnit = lossUnitOf(result);
    const withUnit = (loss: number): string =>
      `${formatLoss(loss)} ${lossUnit === 'nats' ? lossUnit : `(${lossUnit})`}`;
    const text = options.json
      ? JSON.stringify(result)
      : formatFields([
          ['held-out loss', withUnit(result.loss)],
          ['accuracy', result.accuracy === undefined ? undefined : formatShare(result.accuracy)],
          ['perplexity', unit === 'images' ? undefined : result.perplexity?.toPrecision(5)],
          [
            lossUnit === 'nats'
              ? 'by target frequencies alone'
              : 'by the mean of the targets alone',
            withUnit(result.frequencies),
          ],
          ['batches', formatCount(result.batches)],
        ]);
    printLine(host, text);
  });
}
