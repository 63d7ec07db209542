import { UserError, type Note } from '../../errors';
import { set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import type { TrainingRate } from '../../protocol/service';
import { summarize, type Model } from '../open/model';
import { readReceipts, type Receipts } from '../open/receipts';
import { defaultTrainSettings } from '../settings';

/**
 * Peak rates that GPT-3's models of so many parameters were trained with (Brown et al. 2020, arXiv
 * 2005.14165, table 2.1), largest first.
 */
const publishedRates = [
  { parameters: 6.7e9, rate: 1.2e-4 },
  { parameters: 2.7e9, rate: 1.6e-4 },
  { parameters: 1.3e9, rate: 2e-4 },
  { parameters: 760e6, rate: 2.5e-4 },
  { parameters: 350e6, rate: 3e-4 },
  { parameters: 100e6, rate: 6e-4 },
] as const;

/** A peak rate at which a model of so many parameters is trained from the beginning. */
export const rateOfSize = (parameters: number): number =>
  publishedRates.find(each => parameters >= each.parameters)?.rate ??
  defaultTrainSettings.learningRate;

/** What is left of a rate for weights whose training has ended: docs/training.md has the numbers. */
const tenth = (rate: number): number => Number((rate / 10).toPrecision(3));

/** A peak rate at which a checkpoint can be trained on, and where it comes from. */
export async function suitableRate({ architecture, checkpoint }: Model): Promise<TrainingRate> {
  const fromScratch = rateOfSize(summarize(architecture).parameters);
  const { growth, training } = await receiptsOf(checkpoint.directory);
  if (training) {
    const { learningRate, schedule } = training.settings;
    return schedule === 'constant'
      ? { rate: learningRate, reason: 'constant', fromScratch }
      : { rate: tenth(learningRate), reason: 'trained', fromScratch };
  }
  return growth
    ? { rate: fromScratch, reason: 'grown', fromScratch }
    : { rate: tenth(fromScratch), reason: 'size', fromScratch };
}

/** A receipt that cannot be read tells nothing, as one that is not there. */
async function receiptsOf(directory: string): Promise<Receipts> {
  try {
    return await readReceipts(directory);
  } catch (error) {
    if (error instanceof UserError) return {};
    throw error;
  }
}

const reasons: Readonly<Record<TrainingRate['reason'], string>> = {
  constant: 'at which it was trained (training.json)',
  trained: 'a tenth of the one that it was trained at (training.json)',
  grown: 'at which models of its size are trained, as it was grown and not trained on yet',
  size: 'a tenth of the one at which models of its size are trained, as it was trained before',
};

/** Says which rate was taken where nobody asked for one. */
export const noteOnRate = ({ rate, reason }: TrainingRate): Note => ({
  message: `The peak learning rate is ${rate}, ${reasons[reason]}.`,
  remedy: advise`For another, ${set('trainingRate')}.`,
});
