import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { inputName } from '../../graph/build/sources';
import { serializeProgram } from '../../graph/onnx/serialize';
import type { Program } from '../../graph/program';
import { elementCount } from '../../graph/shape';
import type { Tensor, TensorData } from '../../graph/tensor';
import type { Engine, Executable, NamedData } from '../engine';
import { inPlaceState } from '../inPlace';

/** ONNX Runtime on the CPU: ships inside its npm package, needs nothing installed. */
export function onnxRuntimeCpu(options: { threads?: number } = {}): Engine {
  const threads = options.threads ?? availableParallelism();
  return {
    description: {
      name: 'cpu',
      device: `CPU, ${threads} threads (ONNX Runtime ${ort.env.versions.node ?? ort.env.versions.common})`,
    },
    compile: program => compile(program, threads),
    dispose: () => Promise.resolve(),
  };
}

async function compile(program: Program, threads: number): Promise<Executable> {
  const { bytes, outputNames, nextNames } = serializeProgram(program);
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // A third less memory at equal speed (the pattern reserves the sum of all buffers at once).
    enableMemPattern: false,
    logSeverityLevel: 3,
  });
  return new CpuExecutable(program, session, outputNames, nextNames);
}

const toOrt = (tensor: Tensor, data: TensorData): ort.Tensor => {
  if (data.length !== elementCount(tensor.shape)) {
    throw new Error(
      `"${inputName(tensor)}" takes [${tensor.shape.join(', ')}], got ${data.length} values`,
    );
  }
  if ((data instanceof Int32Array ? 'int32' : 'float32') !== tensor.type) {
    throw new Error(`"${inputName(tensor)}" takes ${tensor.type}`);
  }
  return data instanceof Int32Array
    ? new ort.Tensor('int32', data, tensor.shape)
    : new ort.Tensor('float32', data, tensor.shape);
};

const zeros = ({ shape, type }: Tensor): TensorData =>
  type === 'int32' ? new Int32Array(elementCount(shape)) : new Float32Array(elementCount(shape));

const dataOf = (tensor: ort.Tensor): TensorData => tensor.data as TensorData;

class CpuExecutable implements Executable {
  private readonly inputs: ReadonlyMap<string, Tensor>;
  private readonly stateNames: readonly string[];
  private readonly inPlace: ReadonlySet<string>;
  private readonly resident = new Map<string, ort.Tensor>();
  /** The second buffer of state that cannot be updated in place. */
  private readonly spare = new Map<string, ort.Tensor>();

  constructor(
    private readonly program: Program,
    private readonly session: ort.InferenceSession,
    private readonly outputNames: ReadonlyMap<string, string>,
    private readonly nextNames: ReadonlyMap<string, string>,
  ) {
    const kept = [...program.frozen, ...program.state.map(({ input }) => input)];
    this.inputs = new Map(kept.map(tensor => [inputName(tensor), tensor]));
    this.stateNames = program.state.map(({ input }) => inputName(input));
    this.inPlace = new Set([...inPlaceState(program)].map(inputName));
    for (const { input, startsAtZero = false } of program.state) {
      if (startsAtZero) this.resident.set(inputName(input), toOrt(input, zeros(input)));
    }
  }

  load(values: NamedData): void {
    for (const [name, data] of Object.entries(values)) {
      const tensor = this.inputs.get(name);
      if (!tensor) throw new Error(`The program keeps no input "${name}"`);
      // State is written to by later runs, so it gets memory of its own.
      const own = this.stateNames.includes(name) ? data.slice() : data;
      this.resident.set(name, toOrt(tensor, own));
    }
  }

  async run(feeds: NamedData): Promise<Record<string, TensorData>> {
    const given: Record<string, ort.Tensor> = {};
    for (const tensor of this.program.feeds) {
      const name = inputName(tensor);
      const data = feeds[name];
      if (!data) throw new Error(`The run was not fed "${name}"`);
      given[name] = toOrt(tensor, data);
    }
    for (const name of this.inputs.keys()) {
      given[name] = this.loaded(name);
    }
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const name of this.outputNames.values()) fetches[name] = null;
    for (const name of this.stateNames) fetches[this.nextNames.get(name)!] = this.target(name);
    const results = await this.session.run(given, fetches);
    this.advance(results);
    return Object.fromEntries(
      [...this.outputNames].map(([name, value]) => [name, dataOf(results[value]!)]),
    );
  }

  async readState(names = this.stateNames): Promise<Record<string, TensorData>> {
    return Object.fromEntries(names.map(name => [name, dataOf(this.loaded(name)).slice()]));
  }

  async dispose(): Promise<void> {
    this.resident.clear();
    this.spare.clear();
    await this.session.release();
  }

  private loaded(name: string): ort.Tensor {
    const tensor = this.resident.get(name);
    if (!tensor) throw new Error(`"${name}" was never loaded`);
    return tensor;
  }

  /** The buffer the next value of a state tensor is written to. */
  private target(name: string): ort.Tensor {
    const current = this.resident.get(name)!;
    if (this.inPlace.has(name)) return current;
    const spare = this.spare.get(name);
    if (spare) return spare;
    const fresh = toOrt(this.inputs.get(name)!, dataOf(current).slice());
    this.spare.set(name, fresh);
    return fresh;
  }

  private advance(results: ort.InferenceSession.ReturnType): void {
    for (const name of this.stateNames) {
      if (this.inPlace.has(name)) continue;
      this.spare.set(name, this.resident.get(name)!);
      this.resident.set(name, results[this.nextNames.get(name)!]!);
    }
  }
}
