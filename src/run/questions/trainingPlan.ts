import type { Architecture } from '../../architecture';
import { UserError } from '../../errors';
import type { GrowthPlan } from '../../protocol/events';
import type { EngineOutlook, Service, TrainingQuestion } from '../../protocol/service';
import type { Unworded } from '../../remedy/worded';
import { batchesPerUpdate, trainSettings } from '../settings';

/** What training a checkpoint would do and cost: a growth to the size that it has. */
export async function trainingPlan(question: TrainingQuestion): Promise<Unworded<GrowthPlan>> {
  const [{ useModel }, { summarize }, plan, { tokenizerProblem }, { ggufRefusals }] =
    await Promise.all([
      import('../open/resources'),
      import('../open/model'),
      import('../plan/plan'),
      import('../open/tokenizerWithin'),
      import('../convert/ggufBeside'),
    ]);
  await using model = await useModel(question.checkpoint);
  const { architecture, checkpoint, ignored, notes } = model;
  const summary = summarize(architecture);
  const facts = {
    source: summary,
    target: summary,
    operators: { count: 0, width: 0, depth: 0 },
    ignored,
    notes,
    diskBytes: checkpoint.bytes,
  };
  try {
    plan.requireHead(model);
    plan.requireWhole(model, false);
    const unread = await tokenizerProblem(architecture, checkpoint);
    if (unread) return { ...facts, refusals: [{ reason: unread.message, remedy: unread.remedy }] };
    const refusals = await ggufRefusals(model, question.gguf);
    if (refusals.length > 0) return { ...facts, refusals };
    return { ...facts, refusals: [], cost: await costOf(architecture, question) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...facts, refusals: [{ reason: error.message, remedy: error.remedy }] };
  }
}

async function costOf(
  architecture: Architecture,
  question: TrainingQuestion,
): Promise<NonNullable<GrowthPlan['cost']>> {
  const { processBytes } = await import('../plan/processMemory');
  const { stages, flops, shape, settings } = await stepsOf(architecture, question);
  const largest = stages.reduce((most, stage) => (stage.peakBytes > most.peakBytes ? stage : most));
  const { peakBytes, frozenBytes, stateBytes } = largest;
  return {
    steps: settings.steps,
    flopsPerStep: flops / settings.steps,
    flops,
    peakBytes,
    frozenBytes,
    stateBytes,
    processBytes: Math.max(...stages.map(stage => processBytes('cpu', stage))),
    batchSize: shape.batchSize,
    sequenceLength: shape.sequenceLength,
  };
}

/** The steps of a training, counted. Throws UserError for settings that do not fit the model. */
async function stepsOf(
  architecture: Architecture,
  { batchSize, sequenceLength, ...options }: TrainingQuestion,
) {
  const [{ batchShape }, { countStages, flopsAfter, prepareStages }] = await Promise.all([
    import('../open/data'),
    import('../train/trainingStages'),
  ]);
  const settings = trainSettings(options);
  const shape = batchShape(architecture, { batchSize, sequenceLength });
  const stages = countStages(architecture, settings, shape);
  return {
    settings,
    shape,
    stages,
    flops: flopsAfter(stages, settings.steps),
    build: () => prepareStages(architecture, settings, shape).at(-1)!.program,
  };
}

/** The engine that a training would compute on, and how long a step takes there, evaluations aside. */
export async function trainingOutlook({
  engine: choice,
  threads,
  ...question
}: Parameters<Service['trainingOutlook']>[0]): Promise<Unworded<EngineOutlook>> {
  const [{ openEngine }, { usedEngine, useModel }, memory, { mostTaken }, { estimateProgram }] =
    await Promise.all([
      import('../../engine/open'),
      import('../open/resources'),
      import('../plan/memoryRefusal'),
      import('../plan/processMemory'),
      import('../plan/estimate'),
    ]);
  await using started = usedEngine(await openEngine({ engine: choice, threads }));
  const { engine, reason, memory: device } = started;
  const { name } = engine.description;
  await using model = await useModel(question.checkpoint);
  const { architecture } = model;
  const { stages, flops, settings, build } = await stepsOf(architecture, question);
  const refused = memory.memoryRefusal(mostTaken(name, stages, device), device);
  if (refused) {
    return { name, reason, refusal: { reason: refused.message, remedy: refused.remedy } };
  }
  // The last stage computes all of the network; others take as much less as they compute less.
  const whole = stages.at(-1)!;
  const same = { source: architecture, target: architecture };
  const { secondsPerStep, from } = await estimateProgram(engine, same, whole, build);
  const share = flops / (settings.steps * whole.flopsPerStep);
  const seconds = secondsPerStep * batchesPerUpdate(settings) * share;
  return {
    name,
    reason,
    estimate: { secondsPerStep: seconds, from, device: engine.description.device },
  };
}
