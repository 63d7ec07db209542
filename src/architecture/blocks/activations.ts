import { UnsupportedError } from '../../errors';
import { div, gelu, mul, relu, sigmoid, tanh, type Tensor } from '../../graph';

/** An activation function of any shape. */
export type Activation = (x: Tensor) => Tensor;

const exactGelu: Activation = x => gelu(x);
// gelu_new, gelu_fast and gelu_pytorch_tanh are three spellings of one formula in transformers.
const tanhGelu: Activation = x => gelu(x, 'tanh');
const silu: Activation = x => mul(x, sigmoid(x));

const activations: ReadonlyMap<string, Activation> = new Map([
  ['gelu', exactGelu],
  ['gelu_python', exactGelu],
  ['gelu_new', tanhGelu],
  ['gelu_fast', tanhGelu],
  ['gelu_pytorch_tanh', tanhGelu],
  ['quick_gelu', x => mul(x, sigmoid(mul(x, 1.702)))],
  ['relu', relu],
  ['silu', silu],
  ['swish', silu],
  ['tanh', tanh],
]);

/** cap · tanh(x / cap), which keeps x between −cap and cap; x itself where there is no cap. */
export const softCapped = (x: Tensor, cap: number | undefined): Tensor =>
  cap === undefined ? x : mul(tanh(div(x, cap)), cap);

/** The activation by its name in config.json. Throws UnsupportedError for others. */
export function activation(name: string): Activation {
  const found = activations.get(name);
  if (!found) {
    throw new UnsupportedError(
      `config.json names the activation "${name.slice(0, 60)}", which is not one of ${[...activations.keys()].join(', ')}.`,
      'Use a checkpoint with one of these activations.',
    );
  }
  return found;
}
