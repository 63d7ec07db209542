import type { Program } from '../../graph';
import { growthMethod, type Growth } from '../../growth';
import type { BatchShape } from '../../training';
import { isLearned } from '../grow/makeLarge';
import { learningCost as perBatch } from '../plan/plan';
import { batchesPerUpdate } from '../settings';
import type { ProgramCost } from '../plan/growthCost';
import type { StepBytes } from '../plan/processMemory';
import { countStages, flopsAfter, prepareStages } from '../train/trainingStages';
import { growthSettings, type CompareRequest } from './request';

/** What the runs of a comparison compute, known before any of them. */
export interface ComparisonCost {
  /** Exact, of all methods with one seed; a method that refuses the growth computes nothing. */
  readonly flops: number;
  /** Of every kind of step that is really made. */
  readonly steps: readonly StepBytes[];
  /** One step that trains the whole large model; its program takes a while to build. */
  readonly step: {
    readonly build: () => Program;
    readonly cost: ProgramCost;
    readonly flops: number;
  };
}

/** What comparing methods on a growth costs. */
export function comparisonCost(
  growth: Growth,
  request: Pick<CompareRequest, 'methods' | 'training' | 'growthSteps'>,
  shape: BatchShape,
): ComparisonCost {
  const { training } = request;
  const whole = countStages(growth.target, training, shape);
  const costs = request.methods.flatMap(name => {
    const { refusals, stages: own } = growthMethod(name);
    if ((refusals?.(growth) ?? []).length > 0) return [];
    const stages = own ? countStages(growth.target, training, shape, own(growth)) : whole;
    const trained = { flops: flopsAfter(stages, training.steps), steps: stages };
    return isLearned(name) ? [trained, learningCost(growth, request, name, shape)] : [trained];
  });
  return {
    flops: costs.reduce((sum, { flops }) => sum + flops, 0),
    steps: costs.flatMap(cost => cost.steps),
    step: {
      build: () => prepareStages(growth.target, training, shape).at(-1)!.program,
      cost: whole.at(-1)!,
      flops: whole.at(-1)!.flopsPerStep,
    },
  };
}

/** Of the growth of a method that learns. */
function learningCost(
  growth: Growth,
  request: Pick<CompareRequest, 'training' | 'growthSteps'>,
  name: CompareRequest['methods'][number],
  shape: BatchShape,
): Pick<ComparisonCost, 'flops' | 'steps'> {
  const settings = growthSettings(request, name);
  const { flops, ...bytes } = perBatch(growth, settings, shape);
  return {
    flops: settings.steps * batchesPerUpdate(settings) * (flops.matrix + flops.other),
    steps: [bytes],
  };
}
