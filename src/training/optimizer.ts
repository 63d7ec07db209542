import {
  add,
  div,
  gradients,
  input,
  inputName,
  min,
  mul,
  reduceSum,
  sqrt,
  sub,
  type GradientOptions,
  type StateTensor,
  type Tensor,
} from '../graph';

/** Parameters that share a learning rate and a weight decay. */
export interface ParameterGroup {
  readonly name: string;
  /** Peak learning rate; the schedule scales it. */
  readonly learningRate: number;
  /** Decoupled weight decay (AdamW), multiplied by the learning rate. */
  readonly weightDecay: number;
  /** Updates of the run before this group's first, for parameters that begin later; 0 by default. */
  readonly began?: number;
  /** Updates before this run's that the moments it starts with have seen; 0 by default. */
  readonly earlier?: number;
  /** Updates of linear warm-up from the group's first on, beside the schedule's own; 0 by default. */
  readonly warmup?: number;
}

/** A group's learning rate at an update, 1 for the run's first; `scale` is the schedule's, 0…1. */
export function groupRate(
  { learningRate, began = 0, warmup = 0 }: ParameterGroup,
  update: number,
  scale: number,
): number {
  return learningRate * scale * Math.min(1, (update - began) / (warmup + 1));
}

/** AdamW (Loshchilov and Hutter 2019) as torch.optim.AdamW computes it. */
export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Gradients are scaled so that their global norm is at most this; undefined does not clip. */
  readonly clipNorm: number | undefined;
}

/** A parameter with the group it is trained in. */
export interface TrainedParameter {
  /** The program input that holds it. */
  readonly input: Tensor;
  readonly group: string;
}

/** Inputs the optimizer adds to every run, and what it makes of the parameters. */
export interface OptimizerGraph {
  readonly feeds: readonly Tensor[];
  readonly state: readonly StateTensor[];
  /** Global gradient norm before clipping, a scalar. */
  readonly gradientNorm: Tensor;
}

const firstMoment = (name: string): string => `adam.m.${name}`;
const secondMoment = (name: string): string => `adam.v.${name}`;

/** The inputs that hold a parameter's running means, of its gradients and of their squares. */
export const momentInputs = (name: string) =>
  ({ exp_avg: firstMoment(name), exp_avg_sq: secondMoment(name) }) as const;
const gradientSum = (name: string): string => `gradient.${name}`;
const keepName = (group: string): string => `optimizer.keep.${group}`;
const rateName = (group: string): string => `optimizer.rate.${group}`;
const epsilonName = (group: string): string => `optimizer.epsilon.${group}`;
const applyName = 'optimizer.apply';
const shareName = 'optimizer.share';

/** How the backward pass is built, and whether an update may come from several runs. */
export interface BackwardOptions extends GradientOptions {
  /**
   * Adds up the gradients of several micro-batches before an update: state `gradient.<name>`, and
   * feeds that `optimizerFeeds` gives for a `MicroBatch`.
   */
  readonly accumulate?: boolean;
}

/**
 * Gradients are this many times as large inside a program, so that float16 products can hold small
 * ones. A power of two: float32 numbers are the same as without it.
 */
const gradientScale = 2 ** 10;

/** Builds backward pass, clipping and update of every parameter as one graph. */
export function adamW(
  loss: Tensor,
  parameters: readonly TrainedParameter[],
  options: AdamWOptions,
  { accumulate = false, ...backward }: BackwardOptions = {},
): OptimizerGraph {
  const inputs = parameters.map(parameter => parameter.input);
  const scaled = mul(loss, gradientScale);
  const sums = accumulate
    ? accumulatedGradients(scaled, inputs, backward)
    : { gradients: gradients(scaled, inputs, backward), apply: undefined, feeds: [], state: [] };
  const squares = sums.gradients.map(gradient => reduceSum(mul(gradient, gradient)));
  const scaledNorm = sqrt(squares.reduce((a, b) => add(a, b)));
  const norm = mul(scaledNorm, 1 / gradientScale);
  const clip =
    options.clipNorm === undefined ? undefined : min(div(options.clipNorm, add(norm, 1e-6)), 1);
  const groups = [...new Set(parameters.map(({ group }) => group))];
  const keep = new Map(groups.map(group => [group, input(keepName(group), [])]));
  const rate = new Map(groups.map(group => [group, input(rateName(group), [])]));
  const epsilon = new Map(groups.map(group => [group, input(epsilonName(group), [])]));
  const [first, second] = options.betas.map(beta => momentWeights(beta, sums.apply));
  // Both scales are folded into two scalars, so that no gradient is copied for them.
  const unscale = clip ? mul(clip, 1 / gradientScale) : 1 / gradientScale;
  const share1 = product(unscale, first!.share);
  const share2 = product(product(unscale, unscale), second!.share);

  const state = parameters.flatMap(({ input: value, group }, index): StateTensor[] => {
    const name = inputName(value);
    const m = input(firstMoment(name), value.shape);
    const v = input(secondMoment(name), value.shape);
    const gradient = sums.gradients[index]!;
    const nextM = add(mul(m, first!.keep), mul(gradient, share1));
    // Not of the squares that the norm was made of: they would be kept until all gradients are there.
    const nextV = add(mul(v, second!.keep), mul(mul(gradient, share2), gradient));
    const denominator = add(sqrt(nextV), epsilon.get(group)!);
    const step = mul(div(nextM, denominator), rate.get(group)!);
    const next = sub(mul(value, keep.get(group)!), step);
    return [
      { input: value, next },
      { input: m, next: nextM, startsAtZero: true },
      { input: v, next: nextV, startsAtZero: true },
    ];
  });
  const feeds = [...keep.values(), ...rate.values(), ...epsilon.values(), ...sums.feeds];
  return { feeds, state: [...state, ...sums.state], gradientNorm: norm };
}

const product = (a: Tensor | number, b: Tensor | number): Tensor | number =>
  typeof a === 'number' && typeof b === 'number' ? a * b : mul(a, b);

/** Gradients that are added up over runs until one is applied. */
interface GradientSums {
  readonly gradients: readonly Tensor[];
  /** 1 where the sums are applied and begin anew, else 0. */
  readonly apply: Tensor | undefined;
  readonly feeds: readonly Tensor[];
  readonly state: readonly StateTensor[];
}

function accumulatedGradients(
  loss: Tensor,
  inputs: readonly Tensor[],
  options: GradientOptions,
): GradientSums {
  const share = input(shareName, []);
  const apply = input(applyName, []);
  const keep = sub(1, apply);
  const earlier = inputs.map(value => input(gradientSum(inputName(value)), value.shape));
  // The share of a micro-batch scales the loss, and through it every gradient, at no cost.
  const sums = gradients(mul(loss, share), inputs, options).map((gradient, index) =>
    add(earlier[index]!, gradient),
  );
  return {
    gradients: sums,
    apply,
    feeds: [share, apply],
    state: earlier.map((sum, index) => ({
      input: sum,
      next: mul(sums[index]!, keep),
      startsAtZero: true,
    })),
  };
}

/** What a moment keeps of itself and takes of the gradient; all and nothing while nothing is applied. */
function momentWeights(
  beta: number,
  apply: Tensor | undefined,
): { keep: Tensor | number; share: Tensor | number } {
  if (!apply) return { keep: beta, share: 1 - beta };
  const share = mul(apply, 1 - beta);
  return { keep: sub(1, share), share };
}

/** One of the batches that make an update together. */
export interface MicroBatch {
  /** Its part of the total weight of all targets of the update; the parts sum to 1. */
  readonly share: number;
  /** True for the last one, which the update follows. */
  readonly last: boolean;
}

/**
 * The optimizer's feeds for one update. The bias of a group's moments is corrected by the updates that
 * these have seen; the correction of the second moment, which torch applies to all its
 * elements, is moved to the rate and to epsilon.
 * @param update 1 for the first of the run.
 * @param scale of the schedule at this update, 0…1.
 * @param part for a program that accumulates gradients.
 */
export function optimizerFeeds(
  groups: readonly ParameterGroup[],
  options: AdamWOptions,
  update: number,
  scale: number,
  part?: MicroBatch,
): Record<string, Float32Array> {
  const [beta1, beta2] = options.betas;
  const feeds: Record<string, Float32Array> = {};
  for (const group of groups) {
    const { name, weightDecay, began = 0, earlier = 0 } = group;
    const updates = update - began + earlier;
    const rate = part?.last === false ? 0 : groupRate(group, update, scale);
    const correction = Math.sqrt(1 - beta2 ** updates);
    feeds[keepName(name)] = Float32Array.of(1 - rate * weightDecay);
    feeds[rateName(name)] = Float32Array.of((rate * correction) / (1 - beta1 ** updates));
    feeds[epsilonName(name)] = Float32Array.of(options.epsilon * correction);
  }
  if (part) {
    feeds[shareName] = Float32Array.of(part.share);
    feeds[applyName] = Float32Array.of(part.last ? 1 : 0);
  }
  return feeds;
}
