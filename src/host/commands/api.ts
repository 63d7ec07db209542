import type { ComparisonRequest, GrowthRequest, TrainingRequest } from '../../protocol/runFolder';
import type { Checkpoints } from '../checkpoints/checkpoints';
import type { Runs } from '../runs/runs';

/** What `activate` gives to tests that run inside the editor. */
export interface ExtensionApi {
  /** From the beginning of `activate` to its end. */
  readonly activationMilliseconds: number;
  readonly checkpoints: Checkpoints;
  runs(): Promise<Runs>;
  /** Starts a growth without asking; gives the id of the run. */
  startGrowth(
    request: Pick<GrowthRequest, 'checkpoint' | 'target' | 'method' | 'out' | 'steps' | 'title'> &
      Partial<GrowthRequest>,
  ): Promise<string>;
  /** Starts a comparison without asking; gives the id of the run. */
  startComparison(
    request: Pick<
      ComparisonRequest,
      'checkpoint' | 'target' | 'methods' | 'data' | 'out' | 'steps' | 'title'
    > &
      Partial<ComparisonRequest>,
  ): Promise<string>;
  /** Starts a training without asking; gives the id of the run. */
  startTraining(
    request: Pick<TrainingRequest, 'checkpoint' | 'data' | 'out' | 'steps' | 'title'> &
      Partial<TrainingRequest>,
  ): Promise<string>;
}
