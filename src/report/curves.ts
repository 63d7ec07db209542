import type { ComparisonReport, FinishedRun, MethodPoint, Spread } from '../protocol/comparison';
import { methodLooks, type MethodLook } from '../protocol/methodLooks';
import { spreadOf } from './savings';

/** What a method's loss is drawn against. */
export type Horizontal = 'flops' | 'seconds';

/** A method's loss over its seeds at one evaluation. */
export interface CurveSample {
  readonly step: number;
  readonly flops: number;
  readonly seconds: number;
  readonly loss: Spread;
}

/** A method's curve: the mean over its seeds, with the range. */
export interface MethodCurve {
  readonly method: string;
  readonly title: string;
  /** How it is drawn; undefined for training from scratch, which is drawn plain. */
  readonly look: MethodLook | undefined;
  readonly samples: readonly CurveSample[];
}

/** The curve of each method that finished with some seed, in the order they were made. */
export function methodCurves({ runs, methods }: ComparisonReport): readonly MethodCurve[] {
  const names = [...new Set(runs.map(({ method }) => method))];
  const looks = methodLooks(names);
  return names.flatMap(method => {
    const own = runs.filter(
      (run): run is FinishedRun => run.method === method && run.state === 'finished',
    );
    if (own.length === 0) return [];
    const title = methods.find(summary => summary.method === method)?.title ?? method;
    return [{ method, title, look: looks.get(method), samples: samplesOf(own) }];
  });
}

/** All runs of a comparison are evaluated at the same steps. */
function samplesOf(runs: readonly FinishedRun[]): readonly CurveSample[] {
  return runs[0]!.curve.map(({ step }, index) => {
    const points = runs.map(({ curve }) => curve[index]!);
    const mean = (read: (point: MethodPoint) => number): number => spreadOf(points.map(read))!.mean;
    return {
      step,
      flops: mean(({ flops }) => flops),
      seconds: mean(({ seconds }) => seconds),
      loss: spreadOf(points.map(({ loss }) => loss))!,
    };
  });
}
