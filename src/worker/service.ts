import { openCheckpoint } from '../checkpoint/checkpoint';
import { sha256OfFiles } from '../checkpoint/hash';
import { UserError } from '../errors';
import type { PlanQuestion, Service } from '../protocol/service';
import { defaultLigoSettings, defaultWarmup } from '../run/settings';
import { tensorStatistics } from '../run/statistics';
import { inspectCheckpoint, summarizeCheckpoint } from './describe';

/** Everything about files and numbers that the host wants to know without a run. */
export const service: Service = {
  summarize: summarizeCheckpoint,
  inspect: inspectCheckpoint,
  statistics: ({ path, tensor }) => tensorStatistics(path, tensor),
  async plan(question) {
    const { planGrowth, resolved, model, settings, shape, close } = await openPlan(question);
    try {
      return planGrowth(model, resolved, settings, shape);
    } finally {
      await close();
    }
  },
  async estimate(question) {
    const { requireGrowth, resolved, model, settings, shape, close } = await openPlan(question);
    try {
      const growth = requireGrowth(model, resolved);
      const [{ estimateStep }, { onnxRuntimeCpu }] = await Promise.all([
        import('../run/estimate'),
        import('../engine'),
      ]);
      const { threads } = question;
      const engine = onnxRuntimeCpu(threads === undefined ? {} : { threads });
      try {
        const estimate = await estimateStep(engine, growth, settings, shape);
        return { ...estimate, device: engine.description.device };
      } finally {
        await engine.dispose();
      }
    } finally {
      await close();
    }
  },
  async operator({ path, name }) {
    const checkpoint = await openCheckpoint(path);
    try {
      const [rows, columns, ...more] = checkpoint.tensors.get(name)?.shape ?? [];
      if (rows === undefined || columns === undefined || more.length > 0) {
        throw new UserError(`${path} holds no operator named ${name}.`, 'Open the run again.');
      }
      return { shape: [rows, columns], values: await checkpoint.readFloat32(name) };
    } finally {
      await checkpoint.close();
    }
  },
  async hash(path) {
    const checkpoint = await openCheckpoint(path);
    await checkpoint.close();
    return sha256OfFiles(checkpoint.files);
  },
};

/** A model opened for a plan, with what plans are made of; loaded only when one is asked for. */
async function openPlan({ checkpoint, target, steps, batchSize, sequenceLength }: PlanQuestion) {
  const [{ openModel }, plan, { batchShape }] = await Promise.all([
    import('../run/model'),
    import('../run/plan'),
    import('../run/data'),
  ]);
  const model = await openModel(checkpoint);
  const close = () => model.checkpoint.close();
  try {
    return {
      ...plan,
      model,
      close,
      resolved: await plan.resolveTarget(model, target),
      settings: { ...defaultLigoSettings, steps, warmup: defaultWarmup(steps) },
      shape: batchShape(model.architecture, { batchSize, sequenceLength }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
