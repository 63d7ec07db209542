import { plainWeights, type Architecture } from '../../architecture';
import type { Engine, NamedData } from '../../engine';
import { input } from '../../graph';
import {
  batchFeeds,
  evaluateModel,
  evaluationProgram,
  objectiveGraph,
  type EvaluationScores,
} from '../../training';
import type { OpenData } from '../open/openData';

/** Scores one architecture again and again, with other values each time; compiled once. */
export interface Scorer {
  /** Held-out scores with these parameters, by id. Rejects with the signal's reason when aborted. */
  score(values: NamedData, signal: AbortSignal): Promise<EvaluationScores>;
  dispose(): Promise<void>;
}

/** Compiles an architecture's evaluation on held-out batches. */
export async function openScorer(
  engine: Engine,
  architecture: Architecture,
  { batches, shape }: Pick<OpenData, 'batches' | 'shape'>,
): Promise<Scorer> {
  const used = architecture.parameters.filter(parameter => parameter.used);
  const inputs = new Map(used.map(({ id, shape: size }) => [id, input(id, size)]));
  const objective = objectiveGraph(
    architecture,
    plainWeights(id => inputs.get(id)),
    batchFeeds(architecture, shape),
  );
  const executable = await engine.compile(evaluationProgram(objective, [...inputs.values()]));
  return {
    score: (values, signal) => {
      executable.load(Object.fromEntries([...inputs.keys()].map(id => [id, values[id]!])));
      return evaluateModel(executable, batches, signal);
    },
    dispose: () => executable.dispose(),
  };
}
