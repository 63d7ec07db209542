import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { openIfRegular, readRange } from '../../files';
import type { Choice } from './steps';

/** A place data comes from, or how to name one. */
export type DataChoice =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'none' };

/** What a model learns from: text, texts or words with labels, or images in classes. */
export type DataKind = 'text' | 'labels' | 'images';

/** The data that suit an objective. */
export function dataKind(objective: string | undefined): DataKind {
  switch (objective) {
    case 'image-classification':
      return 'images';
    case 'sequence-classification':
    case 'token-classification':
      return 'labels';
    default:
      return 'text';
  }
}

const recentKey = 'ligo.recentData';
const mostRecent = 5;
const mostFound = 30;
/** Files smaller than this hardly are training data, bytes. */
const smallest = 20_000;
/** Labelled texts are fewer. */
const smallestLabelled = 500;

/** Remembers where data came from. */
export class RecentData {
  constructor(private readonly memory: vscode.Memento) {}

  get paths(): readonly string[] {
    const stored = this.memory.get<unknown>(recentKey);
    return Array.isArray(stored) ? stored.filter(path => typeof path === 'string') : [];
  }

  async add(path: string): Promise<void> {
    const others = this.paths.filter(other => other !== path);
    await this.memory.update(recentKey, [path, ...others].slice(0, mostRecent));
  }
}

/** What a model can learn from: what a receipt says, recent data, what the workspace holds, then dialogs. */
export async function dataChoices(
  recent: RecentData,
  kind: DataKind,
  preset?: { readonly path: string; readonly from: string },
): Promise<Choice<DataChoice>[]> {
  const found = await foundIn[kind]();
  const known = await Promise.all(
    recent.paths.map(async path => ((await suits(path, kind)) ? [path] : [])),
  );
  const choice = (path: string, icon: string): Choice<DataChoice> => ({
    label: `$(${icon}) ${basename(path)}`,
    description: vscode.workspace.asRelativePath(dirname(path)),
    value: { kind: 'path', path },
  });
  const paths = new Set(known.flat().filter(path => path !== preset?.path));
  const inWorkspace = found.filter(path => !paths.has(path) && path !== preset?.path);
  const separator = (label: string): Choice<DataChoice> => ({
    label,
    kind: vscode.QuickPickItemKind.Separator,
  });
  return [
    ...(preset
      ? [separator(vscode.l10n.t('as in {0}', preset.from)), choice(preset.path, 'output')]
      : []),
    ...(paths.size > 0 ? [separator(vscode.l10n.t('recently used'))] : []),
    ...[...paths].map(path => choice(path, 'history')),
    ...(inWorkspace.length > 0 ? [separator(vscode.l10n.t('in this workspace'))] : []),
    ...inWorkspace.map(path => choice(path, kind === 'images' ? 'file-media' : 'file-text')),
    separator(vscode.l10n.t('elsewhere')),
    { label: `$(file) ${vscode.l10n.t('Choose a file…')}`, value: { kind: 'file' } },
    { label: `$(folder) ${vscode.l10n.t('Choose a folder…')}`, value: { kind: 'folder' } },
    {
      label: `$(circle-slash) ${vscode.l10n.t('No data')}`,
      description: vscode.l10n.t('only for methods that learn nothing; the result is not measured'),
      value: { kind: 'none' },
    },
  ];
}

/** Lets a person choose a file or folder. */
export async function chooseData(kind: 'file' | 'folder'): Promise<string | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: kind === 'file',
      canSelectFolders: kind === 'folder',
      openLabel: vscode.l10n.t('Learn from This'),
    })) ?? [];
  return uri?.fsPath;
}

/** What the workspace holds of a kind. */
const foundIn: Readonly<Record<DataKind, () => Promise<string[]>>> = {
  text: () => textFiles('txt,jsonl,md', smallest),
  labels: async () => {
    const files = await textFiles('jsonl,ndjson,json', smallestLabelled);
    const labelled = await Promise.all(files.map(hasLabels));
    return files.filter((_, index) => labelled[index]);
  },
  images: () => imageSets(),
};

async function textFiles(extensions: string, least: number): Promise<string[]> {
  const uris = await vscode.workspace.findFiles(
    `**/*.{${extensions}}`,
    '**/{node_modules,.git}/**',
    500,
  );
  const sized = await Promise.all(
    uris.map(async uri => ({ path: uri.fsPath, size: (await statOf(uri))?.size ?? 0 })),
  );
  return sized
    .filter(({ size }) => size >= least)
    .sort((a, b) => b.size - a.size)
    .slice(0, mostFound)
    .map(({ path }) => path);
}

/** A record has to begin a file within this many bytes to be seen. */
const headBytes = 64 * 1024;
const labelNames = ['label', 'labels', 'tags', 'ner_tags', 'pos_tags', 'chunk_tags'];

/** Whether the first line of a file is a record with a label; the run looks at all the others. */
async function hasLabels(path: string): Promise<boolean> {
  const file = await openIfRegular(path);
  if (!file) return false;
  try {
    const head = (await readRange(file, 0, headBytes)).toString('utf8').replace(/^\uFEFF/, '');
    const first: unknown = JSON.parse(head.trimStart().split('\n', 1)[0]!);
    return typeof first === 'object' && first !== null && labelNames.some(name => name in first);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  } finally {
    await file.close();
  }
}

/** Folders of IDX files, and folders whose folders hold pictures. */
async function imageSets(): Promise<string[]> {
  const excluded = '**/{node_modules,.git}/**';
  const [idx, pictures] = await Promise.all([
    vscode.workspace.findFiles('**/*idx3-ubyte*', excluded, 100),
    vscode.workspace.findFiles('**/*.{png,jpg,jpeg}', excluded, 2000),
  ]);
  const counts = new Map<string, number>();
  for (const { fsPath } of pictures) {
    const set = dirname(dirname(fsPath));
    counts.set(set, (counts.get(set) ?? 0) + 1);
  }
  const classFolders = [...counts].filter(([, count]) => count >= 20).map(([folder]) => folder);
  return [...new Set([...idx.map(({ fsPath }) => dirname(fsPath)), ...classFolders])].slice(
    0,
    mostFound,
  );
}

/** Files of text, and of images. */
const textFile = /\.(txt|jsonl?|ndjson|md|text)(\.gz)?$/i;
const recordFile = /\.(jsonl?|ndjson)$/i;
const imageFile = /(\.(png|jpe?g|webp)|ubyte(\.gz)?)$/i;

/** Whether what was used before is there, and may be of a kind: a folder by what lies on top in it. */
async function suits(path: string, kind: DataKind): Promise<boolean> {
  const uri = vscode.Uri.file(path);
  const found = await statOf(uri);
  if (!found) return false;
  if ((found.type & vscode.FileType.Directory) === 0) {
    if (kind === 'labels') return recordFile.test(path) && hasLabels(path);
    return (kind === 'text') !== imageFile.test(path);
  }
  const names = (await vscode.workspace.fs.readDirectory(uri)).map(([name]) => name);
  const hasText = names.some(name => textFile.test(name));
  if (kind === 'labels') return names.some(name => recordFile.test(name));
  return kind === 'text' ? hasText : !hasText;
}

/** Undefined when there is nothing. */
const statOf = (uri: vscode.Uri): Promise<vscode.FileStat | undefined> =>
  Promise.resolve(vscode.workspace.fs.stat(uri)).catch(() => undefined);
