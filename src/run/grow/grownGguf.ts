import type { Growth } from '../../growth';
import type { GgufType } from '../../protocol/conversion';
import type { GgufReceipt } from '../../protocol/events';
import { modelNameOf } from '../../protocol/weightNames';
import type { RunContext } from '../context';
import { writeGgufBeside } from '../convert/ggufBeside';

/** The grown model as a GGUF file where one is asked for, named after the small one and its sizes. */
export async function writeGrownGguf(
  context: RunContext,
  directory: string,
  asked: {
    readonly gguf?: GgufType | undefined;
    readonly checkpoint: string;
    readonly growth: Growth;
  },
): Promise<GgufReceipt | undefined> {
  if (!asked.gguf) return undefined;
  const { numHiddenLayers: layers, hiddenSize } = asked.growth.target.dimensions;
  const name = `${modelNameOf(asked.checkpoint)}-${layers}x${hiddenSize}`;
  return writeGgufBeside(context, directory, { name, outtype: asked.gguf });
}
