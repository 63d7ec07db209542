/** Whatever decides a run's bytes, by its names in `decisionNames` where it has one. */
export type Decisions = Readonly<Record<string, unknown>>;

/** What people call the parts of decisions, by their way into them. */
const decisionNames: Readonly<Record<string, string>> = {
  separator: 'what stands between lines',
  'shape.batchSize': 'the batch',
  'shape.sequenceLength': 'the length of sequences',
  'settings.steps': 'the number of steps',
  'settings.learningRate': 'the learning rate',
  'settings.widthLearningRate': 'the learning rate of width operators',
  'settings.depthLearningRate': 'the learning rate of depth operators',
  'settings.warmup': 'the warm-up',
  'settings.weightDecay': 'the weight decay',
  'settings.schedule': 'the schedule',
  'settings.accumulate': 'the number of batches in an update',
  'settings.recompute': 'recomputing activations',
  'settings.initialization.width': 'the start of width operators',
  'settings.initialization.depth': 'the start of depth operators',
  'settings.freshness': 'the freshness',
  'settings.mapping': 'the kind of operators',
  'settings.tokenDrop': 'the share of tokens to drop',
  'settings.layerDrop': 'the share of layers to drop',
  'settings.subNetwork.steps': 'the number of steps of the sub-network',
  'settings.subNetwork.layers': 'the number of layers of the sub-network',
  seed: 'the seed',
  fromScratch: 'training from scratch',
  evaluateEvery: 'the number of steps between evaluations',
  engine: 'the engine',
  precision: 'the precision',
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
    const name = decisionNames[key] ?? key.replace(/^target\./, 'the target’s ');
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
