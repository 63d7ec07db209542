import orders from './moduleOrder.json';

const templates: Readonly<Record<string, readonly string[]>> = orders;

/**
 * Names of a checkpoint's tensors in the order in which modules of transformers have their parameters, by which
 * torch numbers those of an optimizer; tensors that are no parameters there are left out. Undefined for models
 * whose order is not known.
 * @param modelType `model_type` of config.json
 */
export function inModuleOrder(
  modelType: string,
  tensors: ReadonlySet<string>,
): readonly string[] | undefined {
  const template = Object.hasOwn(templates, modelType) ? templates[modelType]! : undefined;
  if (!template) return undefined;
  // A base model that is saved alone has no prefix.
  const spell = (name: string): string =>
    tensors.has(name) ? name : name.slice(name.indexOf('.') + 1);
  const layers = layersOf(tensors);
  return layerRuns(template).flatMap(({ isLayer, names }) =>
    (isLayer ? layers : [0]).flatMap(layer =>
      names.map(name => spell(name.replace('*', String(layer)))).filter(name => tensors.has(name)),
    ),
  );
}

/** Names in a row that are of layers, or that are not. */
function layerRuns(template: readonly string[]) {
  const runs: { isLayer: boolean; names: string[] }[] = [];
  for (const name of template) {
    const isLayer = name.includes('*');
    const last = runs.at(-1);
    if (last?.isLayer === isLayer) last.names.push(name);
    else runs.push({ isLayer, names: [name] });
  }
  return runs;
}

/** 0, 1, … up to the highest number in a name. */
function layersOf(tensors: ReadonlySet<string>): readonly number[] {
  let count = 0;
  for (const name of tensors) {
    const [, layer] = /\.(\d{1,5})\./.exec(`.${name}`) ?? [];
    if (layer !== undefined) count = Math.max(count, Number(layer) + 1);
  }
  return Array.from({ length: count }, (_, layer) => layer);
}
