import type * as ort from 'onnxruntime-node';
import { inputName } from '../../graph/build/sources';
import type { OnnxProgram } from '../../graph/onnx/serialize';
import type { Program } from '../../graph/program';
import type { Tensor, TensorData } from '../../graph/tensor';
import type { Executable, NamedData } from '../engine';
import { inPlaceState } from '../inPlace';
import { zeros } from '../values';
import { dataOf, toFeeds, toOrt, type OnnxRuntime } from './values';

/** A session whose frozen inputs and state lie in main memory. */
export class HostMemoryExecutable implements Executable {
  private readonly inputs: ReadonlyMap<string, Tensor>;
  private readonly stateNames: readonly string[];
  private readonly inPlace: ReadonlySet<string>;
  private readonly resident = new Map<string, ort.Tensor>();
  /** The second buffer of state that cannot be updated in place. */
  private readonly spare = new Map<string, ort.Tensor>();

  constructor(
    private readonly runtime: OnnxRuntime,
    private readonly session: ort.InferenceSession,
    private readonly program: Program,
    private readonly names: Omit<OnnxProgram, 'bytes'>,
  ) {
    const kept = [...program.frozen, ...program.state.map(({ input }) => input)];
    this.inputs = new Map(kept.map(tensor => [inputName(tensor), tensor]));
    this.stateNames = program.state.map(({ input }) => inputName(input));
    this.inPlace = new Set([...inPlaceState(program)].map(inputName));
    for (const { input, startsAtZero = false } of program.state) {
      if (startsAtZero) this.resident.set(inputName(input), toOrt(runtime, input, zeros(input)));
    }
  }

  load(values: NamedData): void {
    for (const [name, data] of Object.entries(values)) {
      const tensor = this.inputs.get(name);
      if (!tensor) throw new Error(`The program keeps no input "${name}"`);
      // State is written to by later runs, so it gets memory of its own.
      const own = this.stateNames.includes(name) ? data.slice() : data;
      this.resident.set(name, toOrt(this.runtime, tensor, own));
    }
  }

  async run(feeds: NamedData): Promise<Record<string, TensorData>> {
    const given = toFeeds(this.runtime, this.program.feeds, feeds);
    for (const name of this.inputs.keys()) given[name] = this.loaded(name);
    const { outputNames, nextNames } = this.names;
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const name of outputNames.values()) fetches[name] = null;
    for (const name of this.stateNames) fetches[nextNames.get(name)!] = this.target(name);
    const results = await this.session.run(given, fetches);
    this.advance(results);
    return Object.fromEntries(
      [...outputNames].map(([name, value]) => [name, dataOf(results[value]!)]),
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
    const fresh = toOrt(this.runtime, this.inputs.get(name)!, dataOf(current).slice());
    this.spare.set(name, fresh);
    return fresh;
  }

  private advance(results: ort.InferenceSession.ReturnType): void {
    for (const name of this.stateNames) {
      if (this.inPlace.has(name)) continue;
      this.spare.set(name, this.resident.get(name)!);
      this.resident.set(name, results[this.names.nextNames.get(name)!]!);
    }
  }
}
