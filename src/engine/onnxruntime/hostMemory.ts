import type * as ort from 'onnxruntime-node';
import { inputName } from '../../graph/build/sources';
import { tensorBytes } from '../../graph/cost';
import type { OnnxProgram } from '../../graph/onnx/serialize';
import type { Program } from '../../graph/program';
import type { TensorData } from '../../graph/tensor';
import type { Executable, NamedData } from '../engine';
import { inPlaceState } from '../inPlace';
import { keptValues, loaded, valuesToKeep, zeroState, type KeptValues } from '../values';
import { dataOf, toFeeds, toOrt, type OnnxRuntime } from './values';
import { freeGarbage } from './garbage';

/** Bytes of needless copies that may lie about until V8 collects them. */
const leftToCollector = 64 * 2 ** 20;

/** A session whose frozen inputs and state lie in main memory. */
export class HostMemoryExecutable implements Executable {
  private readonly kept: KeptValues;
  private readonly inPlace: ReadonlySet<string>;
  private readonly copiedBytes: number;
  private readonly resident = new Map<string, ort.Tensor>();
  /** The second buffer of state that cannot be updated in place. */
  private readonly spare = new Map<string, ort.Tensor>();

  constructor(
    private readonly runtime: OnnxRuntime,
    private readonly session: ort.InferenceSession,
    private readonly program: Program,
    private readonly names: Omit<OnnxProgram, 'bytes'>,
  ) {
    this.kept = keptValues(program);
    const inPlace = [...inPlaceState(program)];
    this.inPlace = new Set(inPlace.map(inputName));
    this.copiedBytes = inPlace.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    for (const { name, tensor, data } of zeroState(program)) {
      this.resident.set(name, toOrt(runtime, tensor, data));
    }
  }

  get stateNames(): readonly string[] {
    return this.kept.stateNames;
  }

  load(values: NamedData, { given = false }: { readonly given?: boolean } = {}): void {
    for (const { name, tensor, data } of valuesToKeep(this.kept, values)) {
      // State is written to by later runs, so it gets memory of its own.
      const own = !given && this.kept.stateNames.includes(name) ? data.slice() : data;
      this.resident.set(name, toOrt(this.runtime, tensor, own));
    }
  }

  async run(feeds: NamedData): Promise<Record<string, TensorData>> {
    const outputs = await this.step(feeds);
    // The runtime's JavaScript copies state that it wrote in place as well, to nobody's use.
    if (this.copiedBytes > leftToCollector) freeGarbage();
    return outputs;
  }

  private async step(feeds: NamedData): Promise<Record<string, TensorData>> {
    const given = toFeeds(this.runtime, this.program, feeds);
    for (const name of this.kept.inputs.keys()) given[name] = loaded(this.resident, name);
    const { outputNames, nextNames } = this.names;
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const name of outputNames.values()) fetches[name] = null;
    for (const name of this.kept.stateNames) fetches[nextNames.get(name)!] = this.target(name);
    const results = await this.session.run(given, fetches);
    this.advance(results);
    return Object.fromEntries(
      [...outputNames].map(([name, value]) => [name, dataOf(results[value]!)]),
    );
  }

  async readState(names = this.kept.stateNames): Promise<Record<string, TensorData>> {
    return Object.fromEntries(
      names.map(name => [name, dataOf(loaded(this.resident, name)).slice()]),
    );
  }

  takeState(): Promise<Record<string, TensorData>> {
    this.spare.clear();
    const state = this.kept.stateNames.map(
      name => [name, dataOf(loaded(this.resident, name))] as const,
    );
    this.resident.clear();
    return Promise.resolve(Object.fromEntries(state));
  }

  async dispose(): Promise<void> {
    this.resident.clear();
    this.spare.clear();
    await this.session.release();
  }

  /** The buffer the next value of a state tensor is written to. */
  private target(name: string): ort.Tensor {
    const current = this.resident.get(name)!;
    if (this.inPlace.has(name)) return current;
    const spare = this.spare.get(name);
    if (spare) return spare;
    const tensor = this.kept.inputs.get(name)!;
    const fresh = toOrt(this.runtime, tensor, dataOf(current).slice());
    this.spare.set(name, fresh);
    return fresh;
  }

  private advance(results: ort.InferenceSession.ReturnType): void {
    for (const name of this.kept.stateNames) {
      if (this.inPlace.has(name)) continue;
      this.spare.set(name, this.resident.get(name)!);
      this.resident.set(name, results[this.names.nextNames.get(name)!]!);
    }
  }
}
