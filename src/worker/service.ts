import { openCheckpoint } from '../checkpoint/checkpoint';
import { UserError } from '../errors';
import { formatBytes } from '../format';
import { checkpointDifference } from '../inspect/difference';
import { differencePicture } from '../inspect/differencePicture';
import { exportTensor } from '../inspect/exportTensor';
import { tensorStatistics } from '../inspect/statistics';
import { comparisonPlan } from '../run/questions/comparisonPlan';
import { lookAtData } from '../run/questions/dataOutlook';
import { inspectCheckpoint, summarizeAllFound, summarizeCheckpoint } from './describe';
import { engineService } from './engines';
import { handoffService } from './handoffs';
import { hubService } from './hub';
import { offerMethods } from '../run/questions/offerMethods';
import { engineOutlook } from '../run/questions/engineOutlook';
import { openPlan } from '../run/questions/openPlan';
import { parameterCounts } from '../run/questions/parameterCounts';
import { convertShown } from './conversions';
import { useModel } from '../run/open/resources';
import { suitableRate } from '../run/train/suitableRate';
import { trainingOutlook, trainingPlan } from '../run/questions/trainingPlan';
import type { UnwordedService } from './unwordedService';

/** Everything about files and numbers that the host wants to know without a run. */
export const service: UnwordedService = {
  summarize: summarizeCheckpoint,
  summarizeFound: summarizeAllFound,
  inspect: inspectCheckpoint,
  ...engineService,
  ...hubService,
  ...handoffService,
  statistics: ({ path, tensor }) => tensorStatistics(path, tensor),
  difference: (paths, { signal, progress }) =>
    checkpointDifference(paths, {
      signal,
      onProgress: ({ bytes, of }) => progress(`${formatBytes(bytes)} of ${formatBytes(of)}`),
    }),
  differencePicture: ({ paths, names }, { signal }) => differencePicture(paths, names, signal),
  exportTensor: (question, { signal }) => exportTensor({ ...question, overwrite: true }, signal),
  async plan(question) {
    await using plans = await openPlan(question);
    const plan = plans.planGrowth(plans.model, plans.resolved, plans.settings, plans.shape);
    if (plan.refusals.length > 0 || question.gguf === undefined) return plan;
    const { ggufRefusals } = await import('../run/convert/ggufBeside');
    const { target } = plans.requireGrowth(plans.model, plans.resolved);
    const refusals = await ggufRefusals(plans.model, question.gguf, target);
    return { ...plan, refusals };
  },
  methods: offerMethods,
  comparisonPlan,
  trainingPlan,
  async trainingRate(checkpoint) {
    await using model = await useModel(checkpoint);
    return await suitableRate(model);
  },
  outlook: engineOutlook,
  trainingOutlook,
  lookAtData,
  convert: convertShown,
  parameters: parameterCounts,
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
    try {
      return await checkpoint.sha256();
    } finally {
      await checkpoint.close();
    }
  },
};
