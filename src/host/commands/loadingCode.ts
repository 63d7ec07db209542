import type { CheckpointSummary } from '../../protocol/service';

/** Python that loads a checkpoint in Hugging Face transformers. */
export function loadingCode(folder: string, model: CheckpointSummary['model']): string {
  const name = model?.modelClass ?? 'AutoModel';
  const text = model?.objective !== 'image-classification';
  const reader = text ? 'AutoTokenizer' : 'AutoImageProcessor';
  const place = JSON.stringify(folder);
  return [
    `from transformers import ${[reader, name].sort().join(', ')}`,
    '',
    `model = ${name}.from_pretrained(${place})`,
    `${text ? 'tokenizer' : 'processor'} = ${reader}.from_pretrained(${place})`,
    '',
  ].join('\n');
}
