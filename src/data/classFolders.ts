import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UserError, type Note } from '../errors';
import { isMissing, unreadable } from '../files';
import { counted } from '../format';
import { listed } from './note';
import {
  extensionsOf,
  leftOutNotes,
  listFolder,
  type LeftOut,
  type SourceFile,
} from './sourceFiles';

/** What sharp decodes everywhere it runs; it does not read .bmp. */
const imageExtensions = ['.png', '.jpg', '.jpeg', '.jpe', '.jfif', '.webp'];
const kinds = '.png, .jpg or .webp';

/** Image files with the number of their class. */
export interface LabelledFiles {
  readonly files: readonly SourceFile[];
  /** [files.length] */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  readonly notes: readonly Note[];
}

/** What the parts of an image set are called, so that no class is. */
export const partNames = {
  train: ['train', 'training'],
  heldOut: ['validation', 'valid', 'val', 'dev', 'test', 'testing', 'eval', 'evaluation'],
} as const;

const isPartName = (name: string): boolean =>
  [...partNames.train, ...partNames.heldOut].some(part => part === name.toLowerCase());

/** Names without what folders cannot spell: `T-shirt/top` is found in a folder `t-shirt_top`. */
const folded = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');

/** What lies at the top of a folder, by name; hidden entries left out, links followed. */
export async function topOf(folder: string): Promise<{ folders: string[]; files: string[] }> {
  const folders: string[] = [];
  const files: string[] = [];
  try {
    for (const name of (await readdir(folder)).filter(each => !each.startsWith('.')).sort()) {
      const found = await stat(join(folder, name)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (found?.isDirectory()) folders.push(name);
      else files.push(name);
    }
  } catch (cause) {
    throw unreadable(folder, cause);
  }
  return { folders, files };
}

/** Folders that are matched to one and the same class. */
function sameClass(folders: readonly string[], classOf: readonly number[]): string[][] {
  const byClass = new Map<number, string[]>();
  folders.forEach((folder, index) => {
    const label = classOf[index]!;
    byClass.set(label, [...(byClass.get(label) ?? []), folder]);
  });
  return [...byClass.values()].filter(({ length }) => length > 1);
}

/** The class of each folder: by the model's label, by its number, or in the order of the names. */
function matchFolders(
  folders: readonly string[],
  labels: readonly string[] | undefined,
): { classOf: readonly number[]; classes: readonly string[]; notes: Note[] } {
  const inOrder = folders.map((_, index) => index);
  if (labels === undefined)
    return { classOf: inOrder, classes: folders, notes: alikeNotes(folders) };
  const known = `The model's classes are ${labels.slice(0, 10).join(', ')}${labels.length > 10 ? ', …' : ''}.`;
  const find = (folder: string): number => {
    const exact = labels.indexOf(folder);
    const index = exact >= 0 ? exact : labels.findIndex(label => folded(label) === folded(folder));
    const twin = labels.findIndex(
      (label, at) =>
        at > index && (exact >= 0 ? label === folder : folded(label) === folded(folder)),
    );
    if (index < 0 || twin < 0) return index;
    throw new UserError(
      `The folder ${folder} fits two of the model's classes: ${index} (${labels[index]!}) and ${twin} (${labels[twin]!}).`,
      'Give the classes different names in "id2label" of config.json, and call the folders so.',
    );
  };
  const byLabel = folders.map(find);
  if (byLabel.every(index => index >= 0)) return matched(folders, byLabel, labels);
  const strangers = folders.filter((_, index) => byLabel[index]! < 0);
  if (strangers.length < folders.length) {
    throw new UserError(
      `The class folders ${strangers.slice(0, 5).join(', ')} are none of the model's classes.`,
      `Name each folder after a class. ${known}`,
    );
  }
  if (folders.every(name => /^\d+$/.test(name) && Number(name) < labels.length)) {
    return matched(folders, folders.map(Number), labels);
  }
  if (folders.length > labels.length) {
    throw new UserError(
      `There are ${folders.length} class folders, but the model has ${counted(labels.length, 'class', 'classes')}.`,
      `Give a folder for each class. ${known}`,
    );
  }
  const pairs = folders.map((name, index) => `${name} as ${labels[index]!}`);
  const found = matched(folders, inOrder, labels);
  return {
    ...found,
    notes: [
      {
        message: `No folder is named after one of the model's classes, so they are taken in order: ${pairs
          .slice(0, 10)
          .join(', ')}${folders.length > 10 ? ', …' : ''}.`,
        remedy: `Name each folder after a class where that is not so. ${known}`,
      },
      ...found.notes,
    ],
  };
}

/** Folders by the model's classes, with what is odd about them. */
function matched(
  folders: readonly string[],
  classOf: readonly number[],
  labels: readonly string[],
): { classOf: readonly number[]; classes: readonly string[]; notes: Note[] } {
  const notes = sameClass(folders, classOf).map(twins => ({
    message: `The folders ${listed(twins)} are taken as one class: ${labels[classOf[folders.indexOf(twins[0]!)]!]!}.`,
    remedy: 'Put their images together, or give other names to folders of other classes.',
  }));
  const present = new Set(classOf);
  const absent = labels.filter((_, index) => !present.has(index));
  if (absent.length > 0) {
    notes.push({
      message: `${counted(absent.length, 'class', 'classes')} of the model's ${labels.length} ${absent.length === 1 ? 'has' : 'have'} no images: ${listed(absent)}.`,
      remedy: 'Give images of all classes, unless the model need not tell them apart any more.',
    });
  }
  return { classOf, classes: labels, notes };
}

/** Says so when classes differ only in how their folders are spelled. */
function alikeNotes(folders: readonly string[]): Note[] {
  const first = new Map<string, number>();
  const classOf = folders.map((folder, index) => {
    const name = folded(folder);
    if (!first.has(name)) first.set(name, index);
    return first.get(name)!;
  });
  return sameClass(folders, classOf).map(twins => ({
    message: `The folders ${listed(twins)} are different classes, though their names are alike.`,
    remedy: 'Put their images into one folder if they are one class.',
  }));
}

/** Refuses what is divided into parts, where classes are expected. */
function refuseParts(path: string, folders: readonly string[]): void {
  if (folders.length === 0 || !folders.every(isPartName)) return;
  throw new UserError(
    `The folders of ${path} (${folders.join(', ')}) are parts of a set and no classes.`,
    'Give a folder with one sub-folder of images for each class: in train and in validation where there are such, else directly.',
  );
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
  const others: SourceFile[] = [];
  const leftOut: { name: string; why: LeftOut }[] = [];
  const bare: string[] = [];
  const top = await topOf(path);
  for (const folder of top.folders) {
    const listing = await listFolder(join(path, folder), imageExtensions);
    const inside = <Named extends { readonly name: string }>(each: Named): Named => ({
      ...each,
      name: `${folder}/${each.name}`,
    });
    others.push(...listing.others.map(inside));
    leftOut.push(...listing.leftOut.map(inside));
    if (listing.files.length === 0) bare.push(folder);
    else {
      folders.push(folder);
      found.push(listing.files.map(inside));
    }
  }
  const outside = top.files.filter(name => imageExtensions.includes(extname(name).toLowerCase()));
  if (folders.length === 0) {
    const rest = [
      ...(outside.length > 0 ? [counted(outside.length, 'image') + ' directly in it'] : []),
      ...(others.length > 0 ? [extensionsOf(others)] : []),
      ...leftOut.slice(0, 5).map(({ name, why }) => `${name} (${why})`),
    ];
    throw new UserError(
      `The folder ${path} holds no images in class folders${rest.length > 0 ? ` (only ${rest.join(', ')})` : ''}.`,
      'Give a folder with one sub-folder of .png, .jpg or .webp images for each class, or one with IDX files (train-images-idx3-ubyte.gz …); convert .bmp images to .png.',
    );
  }
  const { classOf, classes, notes } = matchFolders(folders, labels);
  if (labels?.some(label => isPartName(label)) !== true) refuseParts(path, folders);
  const strangers = top.files.filter(name => !outside.includes(name));
  const all = [...others, ...strangers.map(name => ({ name }))];
  notes.push(...leftOutNotes(path, { others: all, leftOut }, kinds));
  if (outside.length > 0) {
    notes.push({
      message: `${counted(outside.length, 'image lies', 'images lie')} in no class folder and ${outside.length === 1 ? 'was' : 'were'} left out: ${listed(outside)}.`,
      remedy: 'Put each image into the folder of its class.',
    });
  }
  if (bare.length > 0) {
    notes.push({
      message: `${counted(bare.length, 'folder holds', 'folders hold')} no images and ${bare.length === 1 ? 'is' : 'are'} no class: ${listed(bare)}.`,
      remedy: 'Put images there if it is one.',
    });
  }
  const labelOf = found.flatMap((files, index) => files.map(() => classOf[index]!));
  return { files: found.flat(), labels: Int32Array.from(labelOf), classes, notes };
}
