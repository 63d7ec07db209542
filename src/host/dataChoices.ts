import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Choice } from './steps';

/** A place data comes from, or how to name one. */
export type DataChoice =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'none' };

const recentKey = 'ligo.recentData';
const mostRecent = 5;
const mostFound = 30;
/** Files smaller than this hardly are training data, bytes. */
const smallest = 20_000;

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

/** What a model can learn from: recent data, then what the workspace holds, then dialogs. */
export async function dataChoices(
  recent: RecentData,
  kind: 'text' | 'images',
): Promise<Choice<DataChoice>[]> {
  const found = await (kind === 'text' ? textFiles() : imageSets());
  const known = await Promise.all(
    recent.paths.map(async path => ((await suits(path, kind)) ? [path] : [])),
  );
  const choice = (path: string, icon: string): Choice<DataChoice> => ({
    label: `$(${icon}) ${basename(path)}`,
    description: vscode.workspace.asRelativePath(dirname(path)),
    value: { kind: 'path', path },
  });
  const paths = new Set(known.flat());
  const inWorkspace = found.filter(path => !paths.has(path));
  const separator = (label: string): Choice<DataChoice> => ({
    label,
    kind: vscode.QuickPickItemKind.Separator,
  });
  return [
    ...(paths.size > 0 ? [separator(vscode.l10n.t('recently used'))] : []),
    ...[...paths].map(path => choice(path, 'history')),
    ...(inWorkspace.length > 0 ? [separator(vscode.l10n.t('in this workspace'))] : []),
    ...inWorkspace.map(path => choice(path, kind === 'text' ? 'file-text' : 'file-media')),
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

async function textFiles(): Promise<string[]> {
  const uris = await vscode.workspace.findFiles(
    '**/*.{txt,jsonl,md}',
    '**/{node_modules,.git}/**',
    500,
  );
  const sized = await Promise.all(
    uris.map(async uri => ({ path: uri.fsPath, size: (await statOf(uri))?.size ?? 0 })),
  );
  return sized
    .filter(({ size }) => size >= smallest)
    .sort((a, b) => b.size - a.size)
    .slice(0, mostFound)
    .map(({ path }) => path);
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
const imageFile = /(\.(png|jpe?g|webp)|ubyte(\.gz)?)$/i;

/** Whether what was used before is there, and may be of a kind: a folder by what lies on top in it. */
async function suits(path: string, kind: 'text' | 'images'): Promise<boolean> {
  const uri = vscode.Uri.file(path);
  const found = await statOf(uri);
  if (!found) return false;
  if ((found.type & vscode.FileType.Directory) === 0)
    return (kind === 'text') !== imageFile.test(path);
  const names = (await vscode.workspace.fs.readDirectory(uri)).map(([name]) => name);
  const hasText = names.some(name => textFile.test(name));
  return kind === 'text' ? hasText : !hasText;
}

/** Undefined when there is nothing. */
const statOf = (uri: vscode.Uri): Promise<vscode.FileStat | undefined> =>
  Promise.resolve(vscode.workspace.fs.stat(uri)).catch(() => undefined);
