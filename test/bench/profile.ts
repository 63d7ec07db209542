import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { elementCount, inputName, serializeProgram, type TensorData } from '../../src/graph';
import type { LigoStep } from './ligoStep';

/** One event of ONNX Runtime's profile, in the Chrome trace format. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds since the session began. */
  readonly ts: number;
  /** Microseconds. */
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Record<string, readonly number[]>[];
  };
}

/** Time spent in the kernels that have a key in common. */
interface KernelTime {
  readonly key: string;
  readonly milliseconds: number;
  readonly calls: number;
}

const profileName = 'step';
/** Shapes that are listed one by one. */
const listedShapes = 30;

/**
 * Prints where the time of a step goes on ONNX Runtime's CPU engine: by operator, and by operator
 * and shapes. The profiler costs time of its own, which small kernels feel most.
 */
export async function printProfile(step: LigoStep, steps: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-profile-'));
  const events = kernelEvents(await trace(step, steps, folder));
  rmSync(folder, { recursive: true });
  const total = events.reduce((sum, { dur }) => sum + dur, 0) / 1000 / steps;
  console.log(`${total.toFixed(1)} ms in kernels of one step, ${events.length / steps} kernels`);
  const rows = (keyOf: (event: TraceEvent) => string, limit = Infinity) =>
    kernelTimes(events, keyOf, steps)
      .slice(0, limit)
      .map(({ key, milliseconds, calls }) => ({
        kernel: key,
        ms: milliseconds.toFixed(2),
        share: `${((100 * milliseconds) / total).toFixed(1)} %`,
        calls,
      }));
  console.table(rows(operatorOf));
  console.table(rows(event => `${operatorOf(event)} ${shapesOf(event)}`, listedShapes));
}

/** Runs the step `steps + 1` times under ONNX Runtime's profiler. */
async function trace(step: LigoStep, steps: number, folder: string): Promise<TraceEvent[]> {
  const { program } = step;
  const session = await ort.InferenceSession.create(serializeProgram(program).bytes, {
    intraOpNumThreads: 2,
    interOpNumThreads: 1,
    enableMemPattern: false,
    enableProfiling: true,
    profileFilePrefix: join(folder, profileName),
    logSeverityLevel: 3,
  });
  const values: Record<string, TensorData> = { ...step.frozen, ...step.operators };
  for (const { input } of program.state) {
    values[inputName(input)] ??= new Float32Array(elementCount(input.shape));
  }
  const feeds: Record<string, ort.Tensor> = {};
  Object.assign(values, step.feeds(1));
  const inputs = [...program.feeds, ...program.frozen, ...program.state.map(({ input }) => input)];
  for (const tensor of inputs) {
    const data = values[inputName(tensor)]!;
    feeds[inputName(tensor)] =
      data instanceof Int32Array
        ? new ort.Tensor('int32', data, tensor.shape)
        : new ort.Tensor('float32', data, tensor.shape);
  }
  for (let index = 0; index <= steps; index++) await session.run(feeds);
  session.endProfiling();
  await session.release();
  const file = readdirSync(folder).find(name => name.startsWith(`${profileName}_`));
  if (!file) throw new Error('ONNX Runtime wrote no profile');
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as TraceEvent[];
}

/** Kernels of all runs but the first, which warms up. */
function kernelEvents(events: readonly TraceEvent[]): TraceEvent[] {
  const first = events.find(({ name }) => name === 'model_run');
  if (!first) throw new Error('The profile has no run');
  const warm = first.ts + first.dur;
  return events.filter(
    ({ cat, name, ts }) => cat === 'Node' && name.endsWith('_kernel_time') && ts >= warm,
  );
}

const operatorOf = ({ args }: TraceEvent): string => args.op_name ?? 'unknown';

const shapesOf = ({ args }: TraceEvent): string =>
  (args.input_type_shape ?? []).map(types => `[${Object.values(types)[0]!.join(' × ')}]`).join(' ');

function kernelTimes(
  events: readonly TraceEvent[],
  keyOf: (event: TraceEvent) => string,
  steps: number,
): KernelTime[] {
  const times = new Map<string, { microseconds: number; calls: number }>();
  for (const event of events) {
    const time = times.get(keyOf(event)) ?? { microseconds: 0, calls: 0 };
    time.microseconds += event.dur;
    time.calls++;
    times.set(keyOf(event), time);
  }
  return [...times]
    .map(([key, { microseconds, calls }]) => ({
      key,
      milliseconds: microseconds / 1000 / steps,
      calls: calls / steps,
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
