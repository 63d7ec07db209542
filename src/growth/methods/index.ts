import { UnsupportedError } from '../../errors';
import { bert2bert } from './bert2bert';
import { copy } from './copy';
import { hypercloning } from './hypercloning';
import { interpolate } from './interpolate';
import { lemon } from './lemon';
import { ligo } from './ligo';
import { ligoPaper } from './ligoPaper';
import { llamaPro } from './llamaPro';
import { mango } from './mango';
import type { Growth } from '../operators';
import type { Copies } from './copies';
import type { GrowthMethod } from './method';
import { mslt } from './mslt';
import { net2net } from './net2net';
import { random } from './random';
import { stack } from './stack';

export type * from './copies';
export * from './copyOperators';
export type * from './method';

const methods = [
  ligo,
  ligoPaper,
  mango,
  stack,
  interpolate,
  mslt,
  net2net,
  bert2bert,
  copy,
  lemon,
  hypercloning,
  llamaPro,
  random,
] as const satisfies readonly GrowthMethod[];

export type GrowthMethodName = (typeof methods)[number]['name'];

/** Every way to make a large model, in the order they are offered; all lists of methods come from here. */
export const growthMethods: readonly (GrowthMethod & { readonly name: GrowthMethodName })[] =
  methods;

/** Names of all methods, as `--method` takes them. */
export const growthMethodNames: readonly GrowthMethodName[] = methods.map(({ name }) => name);

/** Names of the methods that learn. */
export const learningMethodNames: readonly GrowthMethodName[] = methods
  .filter(({ making }) => making.kind === 'learned')
  .map(({ name }) => name);

/** The method of a name. */
export function growthMethod(name: GrowthMethodName): GrowthMethod {
  return growthMethods.find(method => method.name === name)!;
}

/** What a method copies, where its weights are copies and nothing else. */
export function copiesOf(name: GrowthMethodName, growth: Growth, seed: number): Copies | undefined {
  const { making } = growthMethod(name);
  return making.kind === 'learned' ? undefined : making.copies?.(growth, seed);
}

/** A name as one of a method here. Throws UnsupportedError. */
export function methodNameOf(name: string): GrowthMethodName {
  const known = growthMethodNames.find(each => each === name);
  if (known) return known;
  throw new UnsupportedError(
    `This version knows no method called ${name}.`,
    `Choose one of ${growthMethodNames.join(', ')}.`,
  );
}
