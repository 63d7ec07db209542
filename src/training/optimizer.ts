import {
  add,
  div,
  gradients,
  input,
  inputName,
  min,
  mul,
  reduceSum,
  reshape,
  sqrt,
  sub,
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
const keepName = (group: string): string => `optimizer.keep.${group}`;
const rateName = (group: string): string => `optimizer.rate.${group}`;
const correctionName = 'optimizer.correction';

/** Names of the state the optimizer keeps beside a parameter. */
export const optimizerStateNames = (name: string): string[] => [
  firstMoment(name),
  secondMoment(name),
];

/** Builds backward pass, clipping and update of every parameter as one graph. */
export function adamW(
  loss: Tensor,
  parameters: readonly TrainedParameter[],
  options: AdamWOptions,
): OptimizerGraph {
  const inputs = parameters.map(parameter => parameter.input);
  const raw = gradients(loss, inputs);
  const norm = sqrt(raw.map(sumOfSquares).reduce((a, b) => add(a, b)));
  const scale =
    options.clipNorm === undefined ? undefined : min(div(options.clipNorm, add(norm, 1e-6)), 1);
  const groups = [...new Set(parameters.map(({ group }) => group))];
  const keep = new Map(groups.map(group => [group, input(keepName(group), [])]));
  const rate = new Map(groups.map(group => [group, input(rateName(group), [])]));
  const correction = input(correctionName, []);
  const [beta1, beta2] = options.betas;
  // The clipping scale is folded into two scalars, so that no gradient is copied for it.
  const share1 = scale ? mul(scale, 1 - beta1) : 1 - beta1;
  const share2 = scale ? mul(scale, Math.sqrt(1 - beta2)) : Math.sqrt(1 - beta2);

  const state = parameters.flatMap(({ input: value, group }, index): StateTensor[] => {
    const name = inputName(value);
    const m = input(firstMoment(name), value.shape);
    const v = input(secondMoment(name), value.shape);
    const gradient = raw[index]!;
    const rooted = mul(gradient, share2);
    const nextM = add(mul(m, beta1), mul(gradient, share1));
    const nextV = add(mul(v, beta2), mul(rooted, rooted));
    const denominator = add(mul(sqrt(nextV), correction), options.epsilon);
    const step = mul(div(nextM, denominator), rate.get(group)!);
    const next = sub(mul(value, keep.get(group)!), step);
    return [
      { input: value, next },
      { input: m, next: nextM, startsAtZero: true },
      { input: v, next: nextV, startsAtZero: true },
    ];
  });
  return { feeds: [...keep.values(), ...rate.values(), correction], state, gradientNorm: norm };
}

function sumOfSquares(x: Tensor): Tensor {
  return reshape(reduceSum(mul(x, x)), []);
}

/**
 * The optimizer's feeds for one update.
 * @param update 1 for the first.
 * @param scale of the schedule at this update, 0…1.
 */
export function optimizerFeeds(
  groups: readonly ParameterGroup[],
  options: AdamWOptions,
  update: number,
  scale: number,
): Record<string, Float32Array> {
  const [beta1, beta2] = options.betas;
  const feeds: Record<string, Float32Array> = {
    [correctionName]: Float32Array.of(1 / Math.sqrt(1 - beta2 ** update)),
  };
  for (const { name, learningRate, weightDecay } of groups) {
    const rate = learningRate * scale;
    feeds[keepName(name)] = Float32Array.of(1 - rate * weightDecay);
    feeds[rateName(name)] = Float32Array.of(rate / (1 - beta1 ** update));
  }
  return feeds;
}
