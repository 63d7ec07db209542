import { CorruptFileError } from '../../errors';
import { counted } from '../../format';
import type { ModelConfig } from '../architecture';
import type { OfLayer } from '../blocks/layers';
import { periodOf } from '../configFields';
import type { Decoder, LayerList } from './decoder';

/** A list with an entry a layer. Throws CorruptFileError where it has another length. */
export function layerList(
  config: ModelConfig,
  field: string,
  layers: number,
  otherwise: LayerList,
) {
  const listed = config[field];
  if (!Array.isArray(listed)) return otherwise(config, layers);
  if (listed.length === layers) return listed as readonly unknown[];
  throw new CorruptFileError(
    `config.json: ${field} has ${counted(listed.length, 'entry', 'entries')} for ${counted(layers, 'layer')}.`,
    'Take config.json from the same place and version as the weights beside it.',
  );
}

/** config.json with its lists, their patterns repeated, for another number of layers. */
export function withLayerLists(
  { layerLists = {} }: Decoder,
  config: ModelConfig,
  { from, to }: { readonly from: number; readonly to: number },
): ModelConfig {
  if (from === to) return config;
  const lists = Object.entries(layerLists).flatMap(([field, otherwise]) => {
    const list = layerList(config, field, from, otherwise);
    const period = periodOf(list);
    const repeated = Array.from({ length: to }, (_, layer) => list[layer % period]);
    const follows = JSON.stringify(otherwise(config, to)) === JSON.stringify(repeated);
    return follows && !Array.isArray(config[field]) ? [] : [[field, repeated] as const];
  });
  return { ...config, ...Object.fromEntries(lists) };
}

/** What layers of several kinds have, made once for each kind. */
export function byKind<Made>(
  types: readonly string[],
  make: (layer: number) => Made,
): OfLayer<Made> {
  const made = new Map<string, Made>();
  return layer => {
    const type = types[layer]!;
    const found = made.has(type) ? made.get(type)! : make(layer);
    made.set(type, found);
    return found;
  };
}
