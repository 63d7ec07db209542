import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UserError } from '../errors';
import { unreadable } from './jsonFiles';
import { listFolder, type SourceFile } from './sourceFiles';

/** What sharp decodes everywhere it runs; it does not read .bmp. */
const imageExtensions = ['.png', '.jpg', '.jpeg', '.webp'];

/** Image files with the number of their class. */
export interface LabelledFiles {
  readonly files: readonly SourceFile[];
  /** [files.length] */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  readonly notes: readonly string[];
}

/** Names without what folders cannot spell: `T-shirt/top` is found in a folder `t-shirt_top`. */
const folded = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');

/** The names of the folders in a folder, sorted; hidden ones and links left out. */
export async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw unreadable(folder, cause);
  }
}

/** The class of each folder: by the model's label, by its number, or in the order of the names. */
function matchFolders(
  folders: readonly string[],
  labels: readonly string[] | undefined,
): { classOf: readonly number[]; classes: readonly string[]; notes: string[] } {
  const inOrder = folders.map((_, index) => index);
  if (labels === undefined) return { classOf: inOrder, classes: folders, notes: [] };
  const find = (folder: string): number => {
    const exact = labels.indexOf(folder);
    return exact >= 0 ? exact : labels.findIndex(label => folded(label) === folded(folder));
  };
  const byLabel = folders.map(find);
  if (byLabel.every(index => index >= 0)) return { classOf: byLabel, classes: labels, notes: [] };
  const strangers = folders.filter((_, index) => byLabel[index]! < 0);
  const known = `The model's classes are ${labels.slice(0, 10).join(', ')}${labels.length > 10 ? ', …' : ''}.`;
  if (strangers.length < folders.length) {
    throw new UserError(
      `The class folders ${strangers.slice(0, 5).join(', ')} are none of the model's classes.`,
      `Name each folder after a class. ${known}`,
    );
  }
  if (folders.every(name => /^\d+$/.test(name) && Number(name) < labels.length)) {
    return { classOf: folders.map(Number), classes: labels, notes: [] };
  }
  if (folders.length > labels.length) {
    throw new UserError(
      `There are ${folders.length} class folders, but the model has ${labels.length} classes.`,
      `Give a folder for each class. ${known}`,
    );
  }
  const notes = [
    `No folder is named after one of the model's classes, so they are taken in order: ${folders
      .slice(0, 10)
      .map((name, index) => `${name} as ${labels[index]!}`)
      .join(', ')}${folders.length > 10 ? ', …' : ''}.`,
  ];
  return { classOf: inOrder, classes: labels, notes };
}

/**
 * Lists a folder that has one sub-folder a class; images may lie deeper in it.
 * @param labels the model's classes in their order, which folder names are matched to
 * @throws UserError when there is no such folder, no image, or folders fit no class
 */
export async function listClassFolders(
  path: string,
  labels?: readonly string[],
): Promise<LabelledFiles> {
  const folders: string[] = [];
  const found: SourceFile[][] = [];
  const skipped = new Map<string, number>();
  for (const folder of await subfolders(path)) {
    const { files, others } = await listFolder(join(path, folder), imageExtensions);
    for (const { name } of others) {
      const extension = extname(name).toLowerCase() || 'no extension';
      skipped.set(extension, (skipped.get(extension) ?? 0) + 1);
    }
    if (files.length === 0) continue;
    folders.push(folder);
    found.push(files.map(file => ({ ...file, name: `${folder}/${file.name}` })));
  }
  const left = [...skipped].map(([extension, count]) => `${count} × ${extension}`).join(', ');
  if (folders.length === 0) {
    throw new UserError(
      `The folder ${path} holds no images in class folders${left ? ` (only ${left})` : ''}.`,
      'Give a folder with one sub-folder of .png, .jpg or .webp images for each class, or one with IDX files (train-images-idx3-ubyte.gz …); convert .bmp images to .png.',
    );
  }
  const { classOf, classes, notes } = matchFolders(folders, labels);
  if (left) notes.push(`Files that are no .png, .jpg or .webp were left out: ${left}.`);
  const labelOf = found.flatMap((files, index) => files.map(() => classOf[index]!));
  return { files: found.flat(), labels: Int32Array.from(labelOf), classes, notes };
}
