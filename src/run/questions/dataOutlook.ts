import { UserError } from '../../errors';
import type { CallContext, DataOutlook, Service } from '../../protocol/service';
import type { Unworded } from '../../remedy/worded';

/** Sequences that are read to find the length that suits: held-out batches. */
const evaluationBatches = 8;

/**
 * Opens data as a run would, and scores a few held-out sequences position by position on the CPU to
 * find the length that suits a text model. Rejects with the signal's reason when aborted.
 */
export async function lookAtData(
  { checkpoint, data, threads, sequenceLength }: Parameters<Service['lookAtData']>[0],
  { signal }: Pick<CallContext, 'signal'>,
): Promise<Unworded<DataOutlook>> {
  const [
    { usedEngine, useModel },
    { useData },
    { openEngine },
    { readParameters },
    lengths,
    { plainModel },
    { readsLabelledText },
  ] = await Promise.all([
    import('../open/resources'),
    import('../score/runData'),
    import('../../engine/open'),
    import('../open/model'),
    import('../score/positionLosses'),
    import('../score/scoring'),
    import('../../training'),
  ]);
  try {
    await using model = await useModel(checkpoint);
    await using started = usedEngine(
      await openEngine({ engine: 'cpu', ...(threads && { threads }) }),
    );
    const { engine } = started;
    const options = {
      data,
      sequenceLength,
      seed: 0,
      // As many sequences as usual, however few a person wants in a step: they have to tell.
      ...(!readsLabelledText(model.architecture) && { evaluationBatches }),
    };
    await using opened = await useData(engine, model, options);
    const { notes } = opened;
    if (model.architecture.head === 'none') return { notes };
    signal.throwIfAborted();
    const scored = plainModel(model.architecture, await readParameters(model), 'model');
    const suitableLength = await lengths.suitableLength(engine, scored, opened, signal);
    return { notes, ...(suitableLength !== undefined && { suitableLength }) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { notes: [], refusal: { message: error.message, remedy: error.remedy } };
  }
}
