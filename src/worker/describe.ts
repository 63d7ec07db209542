import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { foreignByNames, whyNotGrown } from '../checkpoint/formats/foreign';
import { locateCheckpoint } from '../checkpoint/locate';
import { foreignAt, looksLikeWeights } from '../checkpoint/looksLikeWeights';
import { UnsupportedError, type Note } from '../errors';
import { readOwnText } from '../files';
import { foreignMarks } from '../protocol/weightNames';
import { isHubReference } from '../protocol/hubReference';
import type { InspectedCheckpoint } from '../protocol/messages';
import { sourceModel } from '../protocol/modelSchemas';
import type { CheckpointSummary, FoundSummary } from '../protocol/service';
import { inspect, type FoundInspection } from '../inspect/inspect';
import type { Unworded } from '../remedy/worded';
import { explainFailure } from './failure';

/** What lists show of a checkpoint. Throws UserError when it cannot be read. */
export async function summarizeCheckpoint(path: string): Promise<Unworded<CheckpointSummary>> {
  const file = await locateCheckpoint(path);
  const inspection = await inspect(file);
  const { model, problems, directory, files, bytes } = inspection;
  const parent = model && (await parentOf(directory));
  const [problem] = problems;
  return {
    path: file,
    files: files.map(name => join(directory, name)),
    bytes,
    elementTypes: elementTypesOf(inspection),
    kind: !model && isPart(inspection) ? 'part' : inspection.state,
    ...(model && { model }),
    ...(problem && { problem }),
    ...(parent && { parent }),
  };
}

/**
 * What lists show of a file that was found in a folder, and that nobody named: what is known and not read
 * is unsupported, not damaged. Throws UserError when it cannot be read.
 */
export async function summarizeFound(path: string): Promise<Unworded<CheckpointSummary>> {
  const nothing = { path, files: [path], bytes: 0, elementTypes: '' };
  const unsupported = (problem: Unworded<Note>): Unworded<CheckpointSummary> => ({
    ...nothing,
    kind: 'unsupported',
    problem: { message: problem.message, remedy: problem.remedy },
  });
  const marked = foreignMarks.includes(basename(path)) ? foreignAt(path) : undefined;
  if (marked) return unsupported(marked);
  if (!(await looksLikeWeights(path))) return { ...nothing, kind: 'other' };
  const foreign = foreignByNames([basename(path)])?.kind;
  if (foreign !== undefined) {
    const message = `${path} belongs to ${foreign.is}${whyNotGrown(foreign)}.`;
    return unsupported({ message, remedy: foreign.remedy });
  }
  try {
    return await summarizeCheckpoint(path);
  } catch (error) {
    // A file of safetensors that is none was cut, exchanged or never downloaded.
    const isDamaged = /\.safetensors(\.index\.json)?$/.test(path);
    if (!(error instanceof UnsupportedError) || isDamaged) throw error;
    return unsupported(error);
  }
}

/** The same of several, one after the other; what one of them fails by is its own. */
export async function summarizeAllFound(
  paths: readonly string[],
): Promise<readonly Unworded<FoundSummary>[]> {
  const found: Unworded<FoundSummary>[] = [];
  for (const path of paths) {
    try {
      found.push({ summary: await summarizeFound(path) });
    } catch (error) {
      const { message, remedy } = explainFailure(error);
      found.push({ failure: { message, remedy } });
    }
  }
  return found;
}

/** Most frequent first. */
const elementTypesOf = ({ elementTypes }: FoundInspection): string =>
  Object.entries(elementTypes)
    .sort(([, a], [, b]) => b - a)
    .map(([type]) => type)
    .join(', ');

/** Learned operators and the state of a stopped run belong to something else. */
const isPart = ({ metadata, directory }: FoundInspection): boolean =>
  metadata['format'] === 'ligo' || directory.endsWith('.run');

/** All that is asked of a receipt here. */
const receiptSource = z.object({ source: sourceModel });

/** Bytes of a receipt at most; real ones have a few thousand. */
const largestReceipt = 16 * 1024 * 1024;

/** What the receipt beside a checkpoint says it was grown from. */
async function parentOf(directory: string): Promise<CheckpointSummary['parent']> {
  let content: unknown;
  try {
    content = JSON.parse((await readOwnText(directory, 'growth.json', largestReceipt)) ?? 'null');
  } catch {
    // Most checkpoints have none, and a damaged one is no reason not to show the checkpoint.
    return undefined;
  }
  const parsed = receiptSource.safeParse(content);
  if (!parsed.success) return undefined;
  const { path, ...source } = parsed.data.source;
  const isWhole = isAbsolute(path) || isHubReference(path);
  return { path: isWhole ? path : resolve(dirname(directory), path), ...source };
}

const wholeNumber = new Intl.NumberFormat('en-US');

/** What the inspector shows of a checkpoint, from its headers. */
export async function inspectCheckpoint(
  path: string,
): Promise<Unworded<Omit<InspectedCheckpoint, 'name'>>> {
  const inspection = await inspect(path);
  const { model, tensors, files, ignored, problems, notes, metadata } = inspection;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Family', model?.family ?? 'not recognised'],
    ['Class', model?.modelClass],
    ['Objective', model?.objective.replaceAll('-', ' ')],
    ['Layers', model && wholeNumber.format(model.layers)],
    ['Hidden units', model && wholeNumber.format(model.hidden)],
    ['Heads', model && wholeNumber.format(model.heads)],
    [
      'Key-value heads',
      model?.kvHeads === undefined ? undefined : wholeNumber.format(model.kvHeads),
    ],
    ['Feed-forward units', model && wholeNumber.format(model.ffn)],
    ['Parameters', model && wholeNumber.format(model.parameters)],
    ['Tensors', wholeNumber.format(tensors.length)],
    ['Element types', elementTypesOf(inspection)],
    ['Bytes', wholeNumber.format(inspection.bytes)],
    ['Files', wholeNumber.format(files.length)],
  ];
  return {
    path,
    facts: facts.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }])),
    tensors,
    canGrow: model !== undefined,
    problems,
    notes,
    ignored,
    metadata,
  };
}
