import type * as ort from 'onnxruntime-node';
import type { OnnxProgram } from '../../graph/onnx/serialize';
import type { Program } from '../../graph/program';
import type { TensorData } from '../../graph/tensor';
import type { Executable, NamedData } from '../engine';
import { keptValues, loaded, valuesToKeep, zeroState, type KeptValues } from '../values';
import type { DeviceTransfer } from './deviceTransfer';
import { dataOf, toFeeds, type OnnxRuntime } from './values';

/** A session whose frozen inputs and state lie on the device: feeds go up, outputs come down. */
export class DeviceMemoryExecutable implements Executable {
  private readonly kept: KeptValues;
  private readonly resident = new Map<string, ort.Tensor>();
  /** Loaded, but not yet on the device. */
  private readonly waiting = new Map<string, TensorData>();

  constructor(
    private readonly runtime: OnnxRuntime,
    private readonly transfer: DeviceTransfer,
    private readonly session: ort.InferenceSession,
    private readonly program: Program,
    private readonly names: Omit<OnnxProgram, 'bytes'>,
    private readonly explain: (error: unknown) => Error,
  ) {
    this.kept = keptValues(program);
    for (const { name, data } of zeroState(program)) this.waiting.set(name, data);
  }

  get stateNames(): readonly string[] {
    return this.kept.stateNames;
  }

  load(values: NamedData): void {
    for (const { name, data } of valuesToKeep(this.kept, values)) this.waiting.set(name, data);
  }

  async run(feeds: NamedData): Promise<Record<string, TensorData>> {
    const given = toFeeds(this.runtime, this.program, feeds);
    for (const name of this.kept.inputs.keys()) given[name] = await this.onDevice(name);
    const results = await this.guard(this.session.run(given));
    for (const name of this.kept.stateNames) {
      this.keep(name, results[this.names.nextNames.get(name)!]!);
    }
    return Object.fromEntries(
      [...this.names.outputNames].map(([name, value]) => [name, dataOf(results[value]!)]),
    );
  }

  async readState(names = this.kept.stateNames): Promise<Record<string, TensorData>> {
    const state: Record<string, TensorData> = {};
    for (const name of names) {
      const waiting = this.waiting.get(name);
      state[name] = waiting
        ? waiting.slice()
        : await this.guard(
            this.transfer.download(this.kept.inputs.get(name)!, await this.onDevice(name)),
          );
    }
    return state;
  }

  takeState(): Promise<Record<string, TensorData>> {
    return this.readState();
  }

  async dispose(): Promise<void> {
    for (const tensor of this.resident.values()) tensor.dispose();
    this.resident.clear();
    this.waiting.clear();
    await this.session.release();
  }

  private async onDevice(name: string): Promise<ort.Tensor> {
    const waiting = this.waiting.get(name);
    if (waiting) {
      const tensor = this.kept.inputs.get(name)!;
      this.keep(name, await this.guard(this.transfer.upload(tensor, waiting)));
      this.waiting.delete(name);
    }
    return loaded(this.resident, name);
  }

  /** What the device does, its failures told in our words. */
  private async guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw this.explain(error);
    }
  }

  private keep(name: string, tensor: ort.Tensor): void {
    this.resident.get(name)?.dispose();
    this.resident.set(name, tensor);
  }
}
