import { openCheckpoint } from '../checkpoint/checkpoint';
import { UserError } from '../errors';
import type { Service } from '../protocol/service';
import { tensorStatistics } from '../inspect/statistics';
import { comparisonPlan } from './comparisonPlan';
import { lookAtData } from './dataOutlook';
import { inspectCheckpoint, summarizeCheckpoint } from './describe';
import { engineService } from './engines';
import { offerMethods } from './methods';
import { engineOutlook, grownParameters, openPlan } from './plans';

/** Everything about files and numbers that the host wants to know without a run. */
export const service: Service = {
  summarize: summarizeCheckpoint,
  inspect: inspectCheckpoint,
  ...engineService,
  statistics: ({ path, tensor }) => tensorStatistics(path, tensor),
  async plan(question) {
    const { planGrowth, resolved, model, settings, shape, close } = await openPlan(question);
    try {
      return planGrowth(model, resolved, settings, shape);
    } finally {
      await close();
    }
  },
  methods: offerMethods,
  comparisonPlan,
  outlook: engineOutlook,
  lookAtData,
  parameters: grownParameters,
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
