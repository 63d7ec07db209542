import type { Architecture, ModelConfig } from '../../architecture';
import type { Note } from '../../errors';
import type { OpenData } from '../open/openData';
import { latest, type Receipts } from '../open/receipts';

const nothing = 'Nothing to do, unless it matters to you.';

/** What of a training here a training in PyTorch does not have, and the other way round. */
export function notesOn(
  { config }: Architecture,
  receipts: Receipts,
  { data, expected }: { readonly data: OpenData; readonly expected: object | undefined },
): readonly Note[] {
  const receipt = latest(receipts);
  const { training } = receipts;
  const settings = training?.settings;
  const staged =
    settings &&
    [
      settings.tokenDrop !== undefined && 'left out tokens',
      settings.layerDrop !== undefined && 'left out layers',
      settings.subNetwork !== undefined && 'began with the bottom layers alone',
    ].filter(part => part !== false);
  const dropout = dropoutOf(config);
  const notes: (Note | false | undefined)[] = [
    staged &&
      staged.length > 0 && {
        message: `The earlier training ${staged.join(', ')}; in PyTorch the whole network trains in every step.`,
        remedy: nothing,
      },
    dropout.length > 0 && {
      message: `Dropout of config.json (${dropout.join(', ')}) applies in PyTorch; ligo trains without.`,
      remedy: 'Set it to 0 in config.json to train without.',
    },
    training?.engine?.precision === 'mixed' && {
      message:
        'The earlier training computed products in float16; in PyTorch they are float32 unless train.py is told otherwise.',
      remedy: 'Set its precision to bfloat16 where the GPU has it.',
    },
    receipt !== undefined &&
      expected === undefined && {
        message: `${receipt.from} has no loss of the same held-out batches: ${reasonOf(receipt.data, data)}.`,
        remedy: 'Compare the first held-out loss with what ligo evaluate gives.',
      },
  ];
  return notes.filter(note => note !== false && note !== undefined);
}

/** Why a receipt's loss is of other batches. */
function reasonOf(
  receipt: NonNullable<ReturnType<typeof latest>>['data'],
  { batches }: OpenData,
): string {
  if (!receipt) return 'it was made without data';
  if (receipt.sha256 !== batches.description.sha256) return 'its data was another';
  if (!receipt.batches) return 'it is of an earlier version, which did not say how data was cut';
  return 'data was cut into other batches';
}

/** Fields of config.json that leave out values at random. */
function dropoutOf(config: ModelConfig): readonly string[] {
  return Object.entries(config)
    .filter(
      ([name, value]) =>
        /^(?!summary_).*(dropout|drop|pdrop)(_prob|_rate)?$/.test(name) && Number(value) > 0,
    )
    .map(([name, value]) => `${name} ${String(value)}`)
    .filter(text => /^\w+ [\d.e-]+$/.test(text));
}
