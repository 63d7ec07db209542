import { basename, join, resolve } from 'node:path';
import { describeTokenizer } from '../../data/tokenizer';
import { UnsupportedError, UsageError } from '../../errors';
import { identify } from '../../files';
import type { HandoffFacts, ImageFacts, TextFacts } from '../../handoff/facts';
import { projectFiles } from '../../handoff/project';
import { sharding } from '../../handoff/sharding';
import { slurmForms, type Handoff, type SlurmFacts } from '../../protocol/handoff';
import { modelNameOf } from '../../protocol/weightNames';
import { leaveOut } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import type { Unworded } from '../../remedy/worded';
import { readsLabelledText } from '../../training';
import { openData, surveyData, type DataSurvey } from '../open/data';
import { summarize, type Model } from '../open/model';
import { describeObjective } from '../open/objective';
import { findOptimizerState } from '../open/optimizerState';
import { torchStateFile } from '../open/torchOptimizer';
import type { DataOptions, OpenData } from '../open/openData';
import { useModel, withOutput } from '../open/resources';
import { requireHead } from '../plan/plan';
import { companionNames } from '../../checkpoint/companionNames';
import { software } from '../write/software';
import { writeNew } from '../write/writeNew';
import { imageFacts } from './imageFacts';
import { notesOn } from './notes';
import { latest, readReceipts, type Receipts } from '../open/receipts';
import { settle, type HandoffRequest, type SettledRequest } from './request';
import { textFacts } from './textFacts';

/** Writes a project that trains a checkpoint on in PyTorch, whole or not at all. @throws UserError */
export async function handOff(
  request: HandoffRequest,
  signal: AbortSignal,
): Promise<Unworded<Handoff>> {
  checkSlurm(request);
  await using model = await useModel(request.checkpoint);
  const companions = await requireLoadable(model);
  const receipts = await readReceipts(model.checkpoint.directory);
  const settled = settle(model.architecture, receipts, request);
  return await withOutput(request.out, request.overwrite ?? false, async directory => {
    await using opened = await useDataOf(model, settled.data);
    const expected = expectedLoss(receipts, opened.data, settled.data);
    const found = await findOptimizerState(
      model,
      () => model.checkpoint.sha256(),
      request.optimizerState,
      file => whyNoMoments(file, model, request),
    );
    await using state = found.state;
    const carried = [
      ...found.notes,
      ...notesOn(model.architecture, receipts, { data: opened.data, expected }),
    ];
    const facts: HandoffFacts = {
      to: request.to,
      software,
      model: {
        path: model.checkpoint.directory,
        name: modelNameOf(model.checkpoint.directory),
        modelClass: model.architecture.modelClass,
        parameters: summarize(model.architecture).parameters,
        companions,
        ...(state && { optimizer: { updates: state.updates, files: state.files } }),
        ...(expected && { expected }),
      },
      objective: describeObjective(model.architecture),
      data: await dataFacts(model, settled.data, opened, signal),
      training: settled.training,
      machines: request.machines,
      slurm: request.slurm,
      notes: carried.map(({ message }) => message),
    };
    requireReachable(facts, settled);
    const files = projectFiles(facts);
    for (const { name, text } of files) {
      signal.throwIfAborted();
      await writeNew(join(directory, name), text);
    }
    const { why, fits } = sharding(facts);
    const notes = [...model.notes, ...opened.data.notes, ...carried];
    const tight = { message: why, remedy: advise`Give more GPUs, or larger ones.` };
    return {
      files: files.map(({ name }) => name),
      memory: why,
      ...(expected && { expected }),
      notes: fits ? notes : [...notes, tight],
    };
  });
}

/** Refuses what transformers' Trainer would not train as it is trained here; gives the files that go along. */
export async function requireLoadable(model: Model): Promise<readonly string[]> {
  const { architecture, checkpoint } = model;
  const { modelClass } = architecture;
  if (readsLabelledText(architecture)) {
    throw new UnsupportedError(
      `A ${modelClass} learns from labels, which are not handed over.`,
      'Train it on with ligo train, or write the training by examples/pytorch of transformers.',
    );
  }
  requireHead(model);
  if ('architecture' in architecture.config) {
    throw new UnsupportedError(
      'This is a model of timm, which has a training script of its own and no class in transformers.',
      "Train it on with ligo train, or with timm's train.py and --initial-checkpoint.",
    );
  }
  if (modelClass.endsWith('WithTeacher')) {
    throw new UnsupportedError(
      `A ${modelClass} computes no loss in transformers: it is for scoring alone.`,
      'Train it on with ligo train, or save it as DeiTForImageClassification.',
    );
  }
  const names = checkpoint.files.map(file => basename(file));
  const known = /^model(-\d+-of-\d+)?\.safetensors$/;
  const other = names.find(name => !known.test(name));
  if (other !== undefined) {
    throw new UnsupportedError(
      `transformers would not load ${other} without running what it holds, or not at all.`,
      'Hand over a checkpoint whose weights are in model.safetensors: what grow and train write.',
    );
  }
  const found = await Promise.all(
    companionNames.map(async name =>
      (await identify(join(checkpoint.directory, name))) ? [name] : [],
    ),
  );
  return found.flat();
}

/** Why the moments of a file could not be gone on with, where that is so. */
function whyNoMoments(
  file: string,
  { architecture }: Model,
  { machines }: HandoffRequest,
): string | undefined {
  if (file === torchStateFile) {
    return `${file} is not handed over: Trainer goes on with it from the folder that it wrote, by resume_from_checkpoint.`;
  }
  const { kind } = sharding({ model: summarize(architecture), machines });
  return kind === 'fsdp' ? 'The optimizer’s state is not read into shards (FSDP).' : undefined;
}

interface OpenedData extends AsyncDisposable {
  readonly data: OpenData;
  readonly survey: DataSurvey;
}

/** Data until the end of the block which has it, and its files. */
async function useDataOf(
  { architecture, checkpoint }: Model,
  options: DataOptions,
): Promise<OpenedData> {
  const survey = await surveyData(architecture, checkpoint, options);
  try {
    const data = await openData(architecture, checkpoint, options, survey);
    const close = async (): Promise<void> => {
      await data.batches.close().finally(() => survey.close());
    };
    return { data, survey, [Symbol.asyncDispose]: close };
  } catch (error) {
    survey.close();
    throw error;
  }
}

async function dataFacts(
  { architecture, checkpoint }: Model,
  options: DataOptions,
  { data, survey }: OpenedData,
  signal: AbortSignal,
): Promise<TextFacts | ImageFacts> {
  const path = resolve(options.data);
  const { accepts } = architecture;
  if (accepts.kind === 'images') {
    const { sets, preprocessor } = survey.images!;
    return imageFacts(accepts, { path, data, sets, preprocessor });
  }
  const tokenizer = await describeTokenizer(checkpoint);
  const { files } = survey.text!.train;
  return textFacts(architecture, { path, data, files, tokenizer, options, signal });
}

/** What the latest receipt gives for the same held-out batches; undefined where it is of others. */
function expectedLoss(
  receipts: Receipts,
  { batches, shape }: OpenData,
  { separator }: DataOptions,
): Handoff['expected'] {
  const receipt = latest(receipts);
  const { data, scores, from } = receipt ?? {};
  if (from === undefined || !data?.batches || scores?.loss == null) return undefined;
  const cut = data.batches;
  const same =
    data.sha256 === batches.description.sha256 &&
    cut.size === shape.batchSize &&
    (cut.sequenceLength ?? shape.sequenceLength) === shape.sequenceLength &&
    cut.heldOut === batches.evaluationBatches &&
    String(cut.lineSeparator) === String(separator);
  return same ? { loss: scores.loss, from } : undefined;
}

const heading = (option: string): string => `The ${option} of a job`;

/** Throws UsageError for what Slurm would not take, or what another launcher makes nothing of. */
function checkSlurm({ to, slurm }: HandoffRequest): void {
  for (const [option, form] of Object.entries(slurmForms)) {
    const value = slurm[option as keyof SlurmFacts];
    if (value === undefined) continue;
    if (to !== 'slurm') {
      throw new UsageError(
        `${heading(option)} is of Slurm alone.`,
        'Leave it out, or hand over to slurm.',
      );
    }
    if (form.test(value)) continue;
    throw new UsageError(
      `${heading(option)} is ${JSON.stringify(value)}, which Slurm does not take.`,
      option === 'time'
        ? 'Give it as hours:minutes:seconds, or days-hours.'
        : 'Give a name of letters, digits, dots and hyphens.',
    );
  }
}

/** Refuses images to score that lie where machines of others get no copy of. */
function requireReachable({ to, data }: HandoffFacts, { data: asked }: SettledRequest): void {
  if (data.kind !== 'images' || asked.evaluationData === undefined) return;
  if (to !== 'skypilot' && to !== 'kubernetes') return;
  throw new UsageError(
    'Held-out images of another folder do not get to the machines with the data.',
    advise`Put both into one folder, as train and validation, and ${leaveOut('evalData')}.`,
  );
}
