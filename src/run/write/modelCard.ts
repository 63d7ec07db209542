import { counted } from '../../format';
import { growthMethods } from '../../growth';
import { harmless } from '../../harmless';
import type { Evaluation } from '../../protocol/evaluation';
import type { Receipt } from '../../protocol/events';
import { modelNameOf } from '../../protocol/weightNames';
import type { TrainingReceipt } from './trainingReceipt';

/** A short model card for the grown checkpoint's README.md. @param training where it was trained on */
export function modelCard(
  receipt: Receipt,
  training?: Pick<TrainingReceipt, 'steps' | 'after'>,
): string {
  const { source, target, method, losses, data, seed, steps } = receipt;
  const name = modelNameOf(source.path);
  const { title, making } = growthMethods.find(({ name: known }) => known === method.name) ?? {};
  const how =
    making?.kind === 'learned'
      ? `${title} with learned operators (${counted(steps, 'step')}, seed ${seed})`
      : `${title ?? method.name} (seed ${seed}), without learning`;
  const lines = [
    '---',
    'tags:',
    '- ligo',
    '- model-growth',
    '---',
    '',
    `# ${name}, grown${training ? ' and trained' : ''}`,
    '',
    `A ${target.modelClass} with ${counted(target.layers, 'layer')} × ${target.hidden} (${target.parameters.toLocaleString('en')} parameters), grown from ${name} (${source.layers} × ${source.hidden}, ${source.parameters.toLocaleString('en')} parameters) by ${how}.`,
    '',
    training
      ? `It was then trained for ${training.steps} steps, as one of the methods of a comparison.`
      : 'It is a start for further training: the small model’s knowledge in the larger shape.',
    ...(losses && source.learns !== undefined
      ? [`What it was measured on is ${source.learns}.`]
      : []),
    '',
    ...(losses ? table(losses, training?.after) : []),
    ...(data
      ? [`Data: ${data.files.map(file => file.name).join(', ')} (${data.heldOut}).`, '']
      : []),
    ...(receipt.gguf
      ? [
          `\`${receipt.gguf.file}\` holds the same model for llama.cpp, as ${receipt.gguf.outtype}.`,
          '',
        ]
      : []),
    training
      ? '`growth.json` and `training.json` are the receipts: hashes, settings and everything that was measured.'
      : '`growth.json` is the receipt: hashes, settings and everything that was measured.',
    `Made by ${receipt.software.name} ${receipt.software.version}.`,
    '',
  ];
  return harmless(lines.join('\n'));
}

function table(
  { small, before, after, float32, frequencies }: NonNullable<Receipt['losses']>,
  trained: Evaluation | undefined,
): string[] {
  const row = (label: string, { loss, accuracy }: Evaluation): string =>
    `| ${label} | ${loss.toFixed(4)} | ${accuracy === undefined ? '' : `${(100 * accuracy).toFixed(1)} %`} |`;
  return [
    after.accuracy === undefined
      ? '| model | held-out mean squared error | |'
      : '| model | held-out loss | accuracy |',
    '|---|---|---|',
    row('small', small),
    ...(before ? [row('grown, before its operators were trained', before)] : []),
    row('grown', after),
    ...(float32 ? [row('grown, in float32', float32)] : []),
    ...(trained ? [row('grown and trained', trained)] : []),
    `| ${after.accuracy === undefined ? 'the mean of the targets' : 'target frequencies'} alone | ${frequencies.toFixed(4)} | |`,
    '',
  ];
}
