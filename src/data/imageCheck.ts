import { CorruptFileError, UserError, type Note } from '../errors';
import { counted } from '../format';
import { atMost } from './atMost';
import { checkImage, readImageHeader, type ImageFile, type ImageHeader } from './imageFile';
import { listed } from './note';
import { checkPreparedSize } from './pixels';
import type { PreprocessorConfig } from './preprocessor';
import { by } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** What images are checked for, and what becomes of those that cannot be read. */
export interface ImageCheckOptions {
  readonly preprocessor: PreprocessorConfig;
  /** Side of the square image the model takes, in pixels. */
  readonly imageSize: number;
  /** Leave out what cannot be read instead of refusing it. */
  readonly leaveOutBroken?: boolean | undefined;
  /** For tests: decode this many before a run starts. */
  readonly decodedBefore?: number | undefined;
}

/** So many images and pixels are decoded before a run starts, in seconds; the rest while it runs. */
const before = { images: 5000, pixels: 250_000_000 };

/** Memory that decoding may take at a time, in bytes. */
export const decodingBytes = 384 * 1024 * 1024;

const imagesAtOnce = 8;

/** A check that goes on while a run does. */
export interface BackgroundCheck {
  /** Throws what was found so far. */
  throwIfFailed(): void;
  /** Resolves when all is checked, or the check was stopped. */
  readonly finished: Promise<void>;
  stop(): void;
}

/** What was found of the files before a run. */
export interface CheckedImages {
  /** Headers by the index of their file; undefined for files that are left out. */
  readonly headers: readonly (ImageHeader | undefined)[];
  readonly notes: readonly Note[];
  readonly background: BackgroundCheck;
}

/** The error for all images that cannot be read. */
function refusal(broken: ReadonlyMap<number, UserError>, of: number): UserError {
  const errors = inOrder(broken);
  const [first] = errors;
  if (errors.length === 1) return first!;
  return new CorruptFileError(
    `${counted(errors.length, 'image')} of ${of.toLocaleString('en')} cannot be used: ${listed(reasons(errors), 4)}`,
    advise`Repair or remove them, or leave out what is broken${by('leaveOutBroken')}.`,
    { cause: first },
  );
}

/** Errors in the order of their files, whichever was found first. */
const inOrder = (broken: ReadonlyMap<number, UserError>): UserError[] =>
  [...broken].sort(([a], [b]) => a - b).map(([, error]) => error);

const reasons = (errors: readonly UserError[]): string[] =>
  errors.map(({ message }) => message.replace(/^The image /, '').replace(/\.$/, ''));

/**
 * Looks at every image before a run starts: the headers of all, then the pixels, of so many as that takes
 * seconds; the others are decoded while the run goes on.
 * @throws UserError naming the images that cannot be read, unless they are to be left out
 */
export async function checkImages(
  files: readonly ImageFile[],
  options: ImageCheckOptions,
): Promise<CheckedImages> {
  const { preprocessor, imageSize, leaveOutBroken = false } = options;
  const broken = new Map<number, UserError>();
  const headers: (ImageHeader | undefined)[] = files.map(() => undefined);
  const attempt = async (index: number, task: () => Promise<void>): Promise<void> => {
    try {
      await task();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      broken.set(index, error);
      headers[index] = undefined;
    }
  };

  await forEach([...files.keys()], index =>
    attempt(index, async () => {
      const file = files[index]!;
      const header = await readImageHeader(file);
      checkPreparedSize(file, header, preprocessor, imageSize);
      headers[index] = header;
    }),
  );
  if (broken.size > 0 && !leaveOutBroken) throw refusal(broken, files.length);

  const withinMemory = atMost(decodingBytes);
  const decode = (index: number): Promise<void> => {
    const header = headers[index]!;
    return withinMemory(
      () => attempt(index, () => checkImage(files[index]!, header)),
      header.bytesToDecode,
    );
  };
  const readable = [...headers.keys()].filter(index => headers[index] !== undefined);
  const now = leaveOutBroken
    ? readable.length
    : decodedBefore(
        readable.map(index => headers[index]!),
        options.decodedBefore,
      );
  await forEach(readable.slice(0, now), decode);
  if (broken.size > 0 && !leaveOutBroken) throw refusal(broken, files.length);
  return {
    headers,
    notes: [...brokenNotes(broken, files.length), ...oddNotes(files, headers)],
    background: inBackground(readable.slice(now), decode, () =>
      broken.size > 0 && !leaveOutBroken ? refusal(broken, files.length) : undefined,
    ),
  };
}

/** Does the task for each index, a few at a time. */
async function forEach(
  indices: readonly number[],
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < indices.length) await task(indices[next++]!);
  };
  await Promise.all(Array.from({ length: imagesAtOnce }, lane));
}

/** How many of the images are decoded before the run. */
function decodedBefore(headers: readonly ImageHeader[], most = before.images): number {
  let pixels = 0;
  const end = headers.findIndex(({ width, height }) => (pixels += width * height) > before.pixels);
  return Math.min(most, end < 0 ? headers.length : end);
}

/** Decodes one image after the other, beside the run. */
function inBackground(
  indices: readonly number[],
  decode: (index: number) => Promise<void>,
  failure: () => UserError | undefined,
): BackgroundCheck {
  let stopped = false;
  let unexpected: Error | undefined;
  const work = async (): Promise<void> => {
    for (const index of indices) {
      if (stopped) return;
      await decode(index);
    }
  };
  return {
    throwIfFailed() {
      const found = failure() ?? unexpected;
      if (found !== undefined) throw found;
    },
    finished: work().catch((error: unknown) => {
      unexpected = error instanceof Error ? error : new Error(String(error));
    }),
    stop() {
      stopped = true;
    },
  };
}

function brokenNotes(broken: ReadonlyMap<number, UserError>, of: number): Note[] {
  if (broken.size === 0) return [];
  return [
    {
      message: `${counted(broken.size, 'image')} of ${of.toLocaleString('en')} cannot be used and ${broken.size === 1 ? 'was' : 'were'} left out: ${listed(reasons(inOrder(broken)))}.`,
      remedy: 'Repair them and run again, if they matter.',
    },
  ];
}

/** Says what is read in a way that one may not expect. */
function oddNotes(
  files: readonly ImageFile[],
  headers: readonly (ImageHeader | undefined)[],
): Note[] {
  const named = (which: (header: ImageHeader) => boolean): string[] =>
    files.flatMap(({ name }, index) => {
      const header = headers[index];
      return header && which(header) ? [name] : [];
    });
  const notes: Note[] = [];
  const animated = named(({ frames }) => frames > 1);
  if (animated.length > 0) {
    notes.push({
      message: `${counted(animated.length, 'image has', 'images have')} several frames, of which only the first is seen: ${listed(animated)}.`,
      remedy: 'Save the frames as images of their own, where they matter.',
    });
  }
  const deep = named(({ deepGrey }) => deepGrey);
  if (deep.length > 0) {
    notes.push({
      message: `${counted(deep.length, 'grey image has', 'grey images have')} 16 bits, which are scaled to 8; the Python Imaging Library cuts them off at 255 instead: ${listed(deep)}.`,
      remedy: 'Save images of 8 bits, made the way the model saw them in its training.',
    });
  }
  return notes;
}
