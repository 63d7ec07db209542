import { inputName } from '../../graph/build/sources';
import { programResults, validateProgram, type Program } from '../../graph/program';
import { simplify } from '../../graph/simplify';
import type { Tensor, TensorData } from '../../graph/tensor';
import type { Executable, NamedData } from '../engine';
import {
  keptValues,
  loaded,
  valuesToFeed,
  valuesToKeep,
  zeroState,
  type KeptValues,
} from '../values';
import { decompose } from './decompose';
import { explainRun } from './errors';
import type { Target, Value } from './kernels/kernel';
import { planRun, runPlan, type Plan } from './plan';

/** A backend in use, and how to make TensorFlow.js use it: there is one at a time in a process. */
export interface Backend extends Target {
  readonly activate: () => void;
}

/**
 * Runs a program kernel by kernel. Values are never written to: a state's next value replaces the
 * one before, which is freed when a run has succeeded, so that a run that fails leaves the state as
 * it was.
 */
export class TfjsExecutable implements Executable {
  private readonly kept: KeptValues;
  private readonly results: readonly Tensor[];
  private readonly plan: Plan;
  private readonly constants = new Map<Tensor, Value>();
  private readonly resident = new Map<string, Value>();

  /** Throws where the program reads what it does not declare. */
  constructor(
    private readonly program: Program,
    private readonly backend: Backend,
  ) {
    validateProgram(program);
    this.kept = keptValues(program);
    this.results = simplify(decompose(programResults(program)));
    this.plan = planRun(this.results, backend);
    backend.activate();
    for (const tensor of this.plan.sources) {
      const { op, attributes } = tensor.node;
      if (op === 'Constant') this.constants.set(tensor, this.upload(tensor, attributes.data));
    }
    for (const { name, tensor, data } of zeroState(program)) {
      this.resident.set(name, this.upload(tensor, data));
    }
  }

  load(values: NamedData): void {
    this.backend.activate();
    for (const { name, tensor, data } of valuesToKeep(this.kept, values)) {
      const value = this.upload(tensor, data);
      this.resident.get(name)?.dispose();
      this.resident.set(name, value);
    }
  }

  get stateNames(): readonly string[] {
    return this.kept.stateNames;
  }

  async run(feeds: NamedData): Promise<Record<string, TensorData>> {
    const given = valuesToFeed(this.program, feeds);
    for (const name of this.kept.inputs.keys()) loaded(this.resident, name);
    this.backend.activate();
    try {
      return this.step(new Map(given.map(({ name, data }) => [name, data])));
    } catch (error) {
      throw explainRun(error);
    }
  }

  async readState(names = this.kept.stateNames): Promise<Record<string, TensorData>> {
    return Object.fromEntries(
      names.map(name => [name, download(this.kept.inputs.get(name)!, loaded(this.resident, name))]),
    );
  }

  async takeState(): Promise<Record<string, TensorData>> {
    const state: Record<string, TensorData> = {};
    for (const name of this.kept.stateNames) {
      const value = loaded(this.resident, name);
      state[name] = download(this.kept.inputs.get(name)!, value);
      value.dispose();
      this.resident.delete(name);
    }
    return state;
  }

  async dispose(): Promise<void> {
    for (const value of [...this.constants.values(), ...this.resident.values()]) value.dispose();
    this.constants.clear();
    this.resident.clear();
  }

  /** One run from beginning to end, without a pause in which another backend could become active. */
  private step(feeds: ReadonlyMap<string, TensorData>): Record<string, TensorData> {
    const { sources, placeOf } = this.plan;
    const uploaded: Value[] = [];
    const values: (Value | undefined)[] = [];
    try {
      for (const tensor of sources) values.push(this.sourceValue(tensor, feeds, uploaded));
      runPlan(this.plan, values);
      const valueOf = (tensor: Tensor): Value => values[placeOf(tensor)]!;
      const names = Object.keys(this.program.outputs);
      const outputs = names.map((name, index) => {
        const tensor = this.results[index]!;
        return [name, download(tensor, valueOf(tensor))] as const;
      });
      this.advance(this.results.slice(names.length).map(valueOf));
      return Object.fromEntries(outputs);
    } finally {
      for (const value of [...uploaded, ...values.slice(sources.length)]) value?.dispose();
    }
  }

  private sourceValue(
    tensor: Tensor,
    feeds: ReadonlyMap<string, TensorData>,
    uploaded: Value[],
  ): Value {
    const constant = this.constants.get(tensor);
    if (constant) return constant;
    const name = inputName(tensor);
    const data = feeds.get(name);
    if (!data) return loaded(this.resident, name);
    // The caller may fill its buffer anew while a state still is what was fed.
    const value = this.upload(tensor, data.slice());
    uploaded.push(value);
    return value;
  }

  /** Two states may share a value, and one may be what another was: each gets a hold of its own. */
  private advance(next: readonly Value[]): void {
    const held = next.map(value => value.clone());
    this.kept.stateNames.forEach((name, index) => {
      loaded(this.resident, name).dispose();
      this.resident.set(name, held[index]!);
    });
  }

  private upload({ shape, type }: Tensor, data: TensorData): Value {
    return this.backend.tf.tensor(data, [...shape], type);
  }
}

/** A copy of a value in main memory. */
function download({ type }: Pick<Tensor, 'type'>, value: Value): TensorData {
  const data = value.dataSync();
  return type === 'int32' ? new Int32Array(data) : new Float32Array(data);
}
