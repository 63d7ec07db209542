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

/** A question whose answer speaks of what the editor has. */
const worded =
  <Asked extends unknown[], Answer>(ask: (...asked: Asked) => Promise<Answer>) =>
  async (...asked: Asked): Promise<Answer> =>
    forEditor(await ask(...asked));

/** Everything about files and numbers that the host wants to know without a run. */
export const service: Service = {
  summarize: worded(summarizeCheckpoint),
  async inspect(path) {
    // Its tensors may be many, and have no remedies.
    const { problems, notes, ...inspected } = await inspectCheckpoint(path);
    return { ...inspected, problems: forEditor(problems), notes: forEditor(notes) };
  },
  ...engineService,
  statistics: ({ path, tensor }) => tensorStatistics(path, tensor),
  plan: worded(async question => {
    await using plans = await openPlan(question);
    return plans.planGrowth(plans.model, plans.resolved, plans.settings, plans.shape);
  }),
  methods: worded(offerMethods),
  comparisonPlan: worded(comparisonPlan),
  outlook: worded(engineOutlook),
  lookAtData: worded(lookAtData),
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
