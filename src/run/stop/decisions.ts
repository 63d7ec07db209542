/** Whatever decides a run's bytes, by the names in `optionNames` where an option says it. */
export type Decisions = Readonly<Record<string, unknown>>;

/** What people call the parts of decisions, by their way into them. */
const optionNames: Readonly<Record<string, string>> = {
  separator: '--line-separator',
  'shape.batchSize': '--batch',
  'shape.sequenceLength': '--sequence-length',
  'settings.steps': '--steps',
  'settings.learningRate': '--learning-rate',
  'settings.widthLearningRate': '--width-learning-rate',
  'settings.depthLearningRate': '--depth-learning-rate',
  'settings.warmup': '--warmup',
  'settings.weightDecay': '--weight-decay',
  'settings.schedule': '--schedule',
  'settings.accumulate': '--accumulate',
  'settings.recompute': '--recompute',
  'settings.initialization.width': '--width-init',
  'settings.initialization.depth': '--depth-init',
  'settings.freshness': '--freshness',
  'settings.mapping': '--method or --share-ffn',
  'settings.tokenDrop': '--token-drop',
  'settings.layerDrop': '--layer-drop',
  'settings.subNetwork.steps': '--sub-network-steps',
  'settings.subNetwork.layers': '--sub-network-layers',
  seed: '--seed',
  fromScratch: '--from-scratch',
  evaluateEvery: '--evaluate-every',
  engine: '--engine',
  precision: '--precision',
};

/** Parts of which only digests are known. */
const digests: Readonly<Record<string, string>> = {
  checkpoint: 'the checkpoint is another',
  data: 'the data is another',
};

/** Most differences that are told one by one. */
const mostTold = 4;

/** Says by name what decided a stopped run otherwise than one that is to go on with it. */
export function differences(then: Decisions, now: Decisions): string {
  const [before, after] = [flat(then), flat(now)];
  const told = [...new Set([...before.keys(), ...after.keys()])].flatMap(key => {
    const [was, is] = [before.get(key), after.get(key)];
    if (was === is) return [];
    const name = optionNames[key] ?? key.replace(/^target\./, 'the target’s ');
    return [digests[key] ?? `${name} was ${was ?? 'not given'} and is ${is ?? 'not given'} now`];
  });
  const more = told.length - mostTold;
  return [...told.slice(0, mostTold), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** The single values of nested objects as JSON, by their way into them. */
function flat(value: unknown, way: readonly string[] = []): Map<string, string> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return new Map(Object.entries(value).flatMap(([key, part]) => [...flat(part, [...way, key])]));
  }
  return new Map(value === undefined ? [] : [[way.join('.'), JSON.stringify(value)]]);
}
