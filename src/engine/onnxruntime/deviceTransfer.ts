import type * as ort from 'onnxruntime-node';
import { encodeGraph } from '../../graph/onnx/model';
import { dataTypes } from '../../graph/onnx/schema';
import type { ElementType, Tensor, TensorData } from '../../graph/tensor';
import { dataOf, toOrt, type OnnxRuntime } from './values';

/** Opens a session on the device whose output `y` lies at `location`. */
export type OpenSession = (
  model: Uint8Array,
  location: 'cpu' | 'gpu-buffer',
) => Promise<ort.InferenceSession>;

/**
 * Copies tensors between main memory and the device. The runtime's JavaScript has no call for it, but
 * a model of one Identity node has: fed from one side, its output is asked for on the other.
 */
export class DeviceTransfer {
  private readonly sessions = new Map<string, Promise<ort.InferenceSession>>();

  constructor(
    private readonly runtime: OnnxRuntime,
    private readonly open: OpenSession,
  ) {}

  /** A copy on the device; whoever asked disposes of it. */
  async upload(tensor: Tensor, data: TensorData): Promise<ort.Tensor> {
    const session = await this.session('gpu-buffer', tensor);
    const { y } = await session.run({ x: toOrt(this.runtime, tensor, data) });
    return y!;
  }

  /** A copy in main memory. */
  async download(tensor: Tensor, value: ort.Tensor): Promise<TensorData> {
    const session = await this.session('cpu', tensor);
    const { y } = await session.run({ x: value });
    return dataOf(y!).slice();
  }

  /** Opens the device. Throws when there is none. */
  async probe(): Promise<void> {
    await this.session('cpu', { type: 'float32', shape: [] });
  }

  async dispose(): Promise<void> {
    const sessions = await Promise.allSettled(this.sessions.values());
    this.sessions.clear();
    for (const session of sessions) {
      if (session.status === 'fulfilled') await session.value.release();
    }
  }

  private session(
    location: 'cpu' | 'gpu-buffer',
    { type, shape }: Pick<Tensor, 'type' | 'shape'>,
  ): Promise<ort.InferenceSession> {
    const key = `${location} ${type} ${shape.length}`;
    const existing = this.sessions.get(key);
    if (existing) return existing;
    const session = this.open(copyModel(type, shape.length), location);
    this.sessions.set(key, session);
    return session;
  }
}

/** y = x, for tensors of one rank and any size. */
function copyModel(type: ElementType, rank: number): Uint8Array {
  const value = (name: string) => ({
    name,
    type: {
      tensorType: {
        elemType: dataTypes[type],
        shape: { dim: Array.from({ length: rank }, () => ({})) },
      },
    },
  });
  return encodeGraph({
    name: 'copy',
    node: [{ name: 'copy', opType: 'Identity', input: ['x'], output: ['y'], attribute: [] }],
    initializer: [],
    input: [value('x')],
    output: [value('y')],
  });
}
