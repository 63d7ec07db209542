import { relative } from 'node:path';
import { listCheckpoint, type ListedCheckpoint } from '../checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError, UserError, type Note } from '../errors';
import type { RecognizedModel } from '../protocol/service';
import { recognizeModel, summarize } from '../run/open/model';
import { tokenizerProblem } from '../run/open/tokenizerWithin';
import { usualBatch } from '../run/open/usualBatch';
import type { Told } from '../protocol/told';
import type { Unworded } from '../remedy/worded';

/** What a checkpoint is, from its headers alone. */
export interface Inspection {
  readonly path: string;
  readonly directory: string;
  readonly files: readonly string[];
  /** Bytes of all tensors. */
  readonly bytes: number;
  /** Number of tensors by element type. */
  readonly elementTypes: Readonly<Record<string, number>>;
  /** Absent when the checkpoint is no model of a supported family: `problems` says why. */
  readonly model?: RecognizedModel;
  readonly tensors: readonly {
    readonly name: string;
    readonly type: string;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
  /** What it is, or why it is no model: parts are missing or damaged, or it is none we know. */
  readonly state: 'model' | 'unsupported' | 'broken' | 'tensors';
  /** What keeps it from being grown. */
  readonly problems: readonly Told[];
  /** What a person should know that keeps it from nothing. */
  readonly notes: readonly Told[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** An inspection in the words of no face yet. */
export type FoundInspection = Unworded<Inspection>;

/** Reads headers only, so it takes milliseconds at any size. */
export async function inspect(path: string): Promise<FoundInspection> {
  const checkpoint = await listCheckpoint(path);
  try {
    const tensors = [...checkpoint.tensors.values()].map(
      ({ name, type, storedAs = type, shape, bytes }) => ({ name, type: storedAs, shape, bytes }),
    );
    const elementTypes: Record<string, number> = {};
    for (const { type } of tensors) elementTypes[type] = (elementTypes[type] ?? 0) + 1;
    return {
      path,
      directory: checkpoint.directory,
      files: checkpoint.files.map(file => relative(checkpoint.directory, file)),
      bytes: checkpoint.bytes,
      elementTypes,
      tensors,
      ...(await recognition(checkpoint)),
      metadata: { ...checkpoint.metadata },
    };
  } finally {
    await checkpoint.close();
  }
}

async function recognition(
  checkpoint: ListedCheckpoint,
): Promise<Pick<FoundInspection, 'model' | 'state' | 'ignored' | 'problems' | 'notes'>> {
  const { notes } = checkpoint;
  if (checkpoint.problems.length > 0) {
    const problems = checkpoint.problems.map(asNote);
    const isWhole = checkpoint.problems.every(problem => problem instanceof UnsupportedError);
    return { state: isWhole ? 'unsupported' : 'broken', ignored: [], problems, notes };
  }
  try {
    const { architecture, ignored, notes } = await recognizeModel(checkpoint);
    const { objective, head } = architecture;
    const problems =
      head === 'none'
        ? [
            {
              message: `It has no head for ${objective.replaceAll('-', ' ')}, so operators cannot be learned with it.`,
              remedy: 'Save the model with its pretraining head.',
            },
          ]
        : [];
    const model = {
      ...summarize(architecture),
      objective,
      head,
      ...(architecture.namesHeadSize && { namesHeadSize: true }),
      usualBatch: usualBatch(architecture),
    };
    const unread = await tokenizerProblem(architecture, checkpoint);
    const told = [...notes, ...(unread ? [unread] : [])];
    return { model, state: 'model', ignored, problems, notes: told };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const state =
      checkpoint.config === undefined
        ? 'tensors'
        : error instanceof CorruptFileError
          ? 'broken'
          : 'unsupported';
    return { state, ignored: [], problems: [asNote(error)], notes };
  }
}

const asNote = ({ message, remedy }: UserError): Note => ({ message, remedy });
