import * as z from 'zod/mini';
import { inModuleOrder } from '../../architecture';
import { listCheckpoint, type Checkpoint } from '../../checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError } from '../../errors';
import { set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import type { Model } from './model';

/** What transformers' Trainer calls the state of its optimizer beside the weights. */
export const torchStateFile = 'optimizer.pt';

/** AdamW's state as torch saves it, with the number of each tensor's parameter. */
export interface TorchOptimizer {
  readonly file: Checkpoint;
  /** Updates that all of its moments have seen. */
  readonly updates: number;
  /** By names of the model's tensors. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Of the group that has most parameters. */
  readonly betas: readonly number[] | undefined;
}

const begin = advise`Leave it behind: ${set('optimizerState', 'reset')}.`;

const groupsSchema = z.array(
  z.object({
    params: z.array(z.int().check(z.nonnegative())),
    betas: z.optional(z.array(z.number())),
    amsgrad: z.optional(z.boolean()),
  }),
);
const stepsSchema = z.record(z.string(), z.number());
type Groups = z.infer<typeof groupsSchema>;

/** Opens it; the caller closes its file. @throws UserError */
export async function openTorchOptimizer(path: string, model: Model): Promise<TorchOptimizer> {
  const file = await listCheckpoint(path);
  try {
    const groups = groupsSchema.safeParse(jsonOf(file, 'param_groups'));
    if (file.format !== 'pytorch' || !groups.success) {
      throw new UnsupportedError(`${path} is not the state of an optimizer of torch.`, begin);
    }
    requireAdamW(path, file, groups.data);
    const numbers = numbersOf(path, file, groups.data, model);
    const updates = await updatesOf(path, file, [...numbers.values()]);
    const [largest] = [...groups.data].sort((a, b) => b.params.length - a.params.length);
    return { file, updates, numbers, betas: largest?.betas };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function jsonOf({ metadata }: Checkpoint, key: string): unknown {
  try {
    return JSON.parse(metadata[key] ?? 'null') as unknown;
  } catch {
    // Of a file of another format, whose metadata are its own.
    return undefined;
  }
}

function requireAdamW(path: string, { tensors }: Checkpoint, groups: Groups): void {
  const other = [...tensors.keys()].find(name => !/^\d+\.(exp_avg|exp_avg_sq|step)$/.test(name));
  const what = groups.some(({ amsgrad }) => amsgrad) ? 'AMSGrad' : other;
  if (what === undefined) return;
  throw new UnsupportedError(
    `${path} is the state of another optimizer than AdamW (it has ${what}).`,
    begin,
  );
}

/** Which parameters decay: rules of trainers, by name and shape. Torch numbers these first, then the others. */
const rules: readonly ((name: string, shape: readonly number[]) => boolean)[] = [
  // transformers 5, Trainer.get_decay_parameter_names
  name => !/bias|layernorm|rmsnorm|(^|\.)norm\d*($|\.)|_norm($|\.)|\.ln_\w+\./i.test(name),
  (_, shape) => shape.length > 1,
  name => !name.endsWith('bias'),
  name => !/bias$|LayerNorm\.weight$|layer_norm\.weight$/.test(name),
];

/** Numbers of the model's tensors, as the only way in which groups and shapes fit the order of its modules. */
function numbersOf(
  path: string,
  { tensors }: Checkpoint,
  groups: Groups,
  model: Model,
): ReadonlyMap<string, number> {
  const { architecture, checkpoint } = model;
  const used = new Set(
    architecture.parameters.flatMap(({ used, stored }) => (used ? [stored.tensor] : [])),
  );
  const order = orderOf(model);
  if (!order || [...used].some(name => !order.includes(name))) {
    throw new UnsupportedError(
      `${path} numbers parameters, and their order in a ${architecture.modelClass} is not known here.`,
      begin,
    );
  }
  const shapeOf = (name: string): readonly number[] => checkpoint.tensors.get(name)!.shape;
  const fits = ([name, number]: readonly [string, number]): boolean => {
    const found = tensors.get(`${number}.exp_avg`);
    const squares = tensors.get(`${number}.exp_avg_sq`);
    const shape = shapeOf(name).join();
    if (!found || !squares) return !used.has(name);
    return found.shape.join() === shape && squares.shape.join() === shape;
  };
  const ways = new Map(
    arrangementsOf(order, shapeOf, groups.length)
      .map(arrangement => numbered(arrangement, groups))
      .filter(pairs => pairs?.every(fits))
      .map(pairs => [JSON.stringify(pairs), new Map(pairs)]),
  );
  const [only, ...more] = ways.values();
  if (only && more.length === 0) return only;
  throw new UnsupportedError(
    only
      ? `${path} may number parameters in several ways, and does not say which.`
      : `${path} has other parameters than a ${architecture.modelClass} of these weights, or in another order.`,
    begin,
  );
}

/** Tensors in the order of the modules of the model's class; XLM-RoBERTa's are RoBERTa's. */
function orderOf({ architecture, checkpoint }: Model): readonly string[] | undefined {
  const names = new Set(checkpoint.tensors.keys());
  return (
    inModuleOrder(String(architecture.config['model_type']), names) ??
    inModuleOrder(architecture.family, names)
  );
}

/** Ways in which trainers divide parameters into so many groups, each in the order of the modules. */
const arrangementsOf = (
  order: readonly string[],
  shapeOf: (name: string) => readonly number[],
  groups: number,
): readonly (readonly (readonly string[])[])[] =>
  groups === 1
    ? [[order]]
    : rules.map(decays => [
        order.filter(name => decays(name, shapeOf(name))),
        order.filter(name => !decays(name, shapeOf(name))),
      ]);

/** Each tensor with its number; undefined where groups have other sizes. */
function numbered(arrangement: readonly (readonly string[])[], groups: Groups) {
  const isSame =
    arrangement.length === groups.length &&
    arrangement.every((part, i) => part.length === groups[i]!.params.length);
  if (!isSame) return undefined;
  return arrangement.flatMap((part, i) =>
    part.map((name, at) => [name, groups[i]!.params[at]!] as const),
  );
}

/** @throws CorruptFileError where parameters have seen different numbers of updates, or none */
async function updatesOf(
  path: string,
  file: Checkpoint,
  numbers: readonly number[],
): Promise<number> {
  const plain = stepsSchema.safeParse(jsonOf(file, 'steps'));
  const seen = new Set<number>();
  for (const number of numbers) {
    if (!file.tensors.has(`${number}.exp_avg`)) continue;
    const step = file.tensors.has(`${number}.step`)
      ? (await file.readFloat32(`${number}.step`))[0]
      : plain.data?.[number];
    seen.add(step ?? NaN);
  }
  const [updates = NaN, ...more] = seen;
  if (more.length === 0 && Number.isSafeInteger(updates) && updates > 0) return updates;
  throw new CorruptFileError(
    `${path} does not give all parameters the same number of updates.`,
    begin,
  );
}
