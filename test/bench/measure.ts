import { onnxRuntimeCpu } from '../../src/engine';
import { countFlops, peakBytes, programResults, topologicalOrder } from '../../src/graph';
import type { LigoStep } from './ligoStep';

/** What a peer reports of its steps, and a part of what we do. */
export interface StepTimes {
  /** Of each step after the first. */
  readonly seconds: readonly number[];
  /** Of the processor, for each step after the first: on one thread, what other work cannot disturb. */
  readonly processorSeconds: readonly number[];
  readonly peakResidentBytes: number;
  /** Of every step, the first one included. */
  readonly losses: readonly number[];
}

/** Steps of ours with what is known of them beforehand. */
export interface Measurement extends StepTimes {
  readonly estimatedPeakBytes: number;
  readonly matrixFlops: number;
  readonly nodes: number;
  readonly compileSeconds: number;
}

/** Runs one warm-up step and `steps` measured ones on the CPU. */
export async function measure(
  build: () => LigoStep,
  { steps, threads }: { steps: number; threads: number },
): Promise<Measurement> {
  const started = performance.now();
  const step = build();
  const executable = await onnxRuntimeCpu({ threads }).compile(step.program);
  const compileSeconds = (performance.now() - started) / 1000;
  executable.load(step.operators);
  executable.load(step.frozen);
  const seconds: number[] = [];
  const processorSeconds: number[] = [];
  const losses: number[] = [];
  for (let index = 0; index <= steps; index++) {
    const before = performance.now();
    const processorBefore = process.cpuUsage();
    let loss = NaN;
    for (let part = 0; part < step.microBatches; part++) {
      loss = (await executable.run(step.feeds(index + 1, part)))['loss']![0]!;
    }
    if (index > 0) {
      seconds.push((performance.now() - before) / 1000);
      processorSeconds.push(process.cpuUsage(processorBefore).user / 1e6);
    }
    losses.push(loss);
  }
  const peakResidentBytes = process.resourceUsage().maxRSS * 1024;
  await executable.dispose();
  const results = programResults(step.program);
  return {
    seconds,
    peakResidentBytes,
    estimatedPeakBytes: peakBytes(results),
    matrixFlops: countFlops(results).matrix,
    nodes: topologicalOrder(results).length,
    compileSeconds,
    processorSeconds,
    losses,
  };
}
