import { openCheckpoint } from '../checkpoint/checkpoint';
import { UserError } from '../errors';
import type { Service } from '../protocol/service';
import { tensorStatistics } from '../inspect/statistics';
import { comparisonPlan } from '../run/questions/comparisonPlan';
import { lookAtData } from '../run/questions/dataOutlook';
import { inspectCheckpoint, summarizeCheckpoint } from './describe';
import { engineService } from './engines';
import { offerMethods } from '../run/questions/offerMethods';
import { engineOutlook } from '../run/questions/engineOutlook';
import { openPlan } from '../run/questions/openPlan';
import { parameterCounts } from '../run/questions/parameterCounts';
import { forEditor } from './editorWords';

/** Everything about files and numbers that the host wants to know without a run. */
export const service: Service = {
  summarize: async question => forEditor(await summarizeCheckpoint(question)),
  inspect: async question => forEditor(await inspectCheckpoint(question)),
  ...engineService,
  statistics: ({ path, tensor }) => tensorStatistics(path, tensor),
  async plan(question) {
    const { planGrowth, resolved, model, settings, shape, close } = await openPlan(question);
    try {
      return forEditor(planGrowth(model, resolved, settings, shape));
    } finally {
      await close();
    }
  },
  methods: async question => forEditor(await offerMethods(question)),
  comparisonPlan: async question => forEditor(await comparisonPlan(question)),
  outlook: async question => forEditor(await engineOutlook(question)),
  lookAtData: async (question, call) => forEditor(await lookAtData(question, call)),
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
