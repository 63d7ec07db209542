import { harmless } from './harmless';
import { harmlessRemedy, type Remedy } from './remedy/remedy';

/** What a person should know of what they gave, although it stops nothing. */
export interface Note {
  readonly message: string;
  /** What the person can do about it, one sentence; each face has its own words for it. */
  readonly remedy: Remedy;
}

/**
 * An error that is safe to show to a person: what is wrong, and what they can do about it. What it
 * quotes of files steers neither terminal nor page.
 * Anything else that is thrown is a defect of ours.
 */
export class UserError extends Error {
  /** What the person can do, one sentence; each face has its own words for it. */
  readonly remedy: Remedy;

  constructor(message: string, remedy: Remedy, options?: ErrorOptions) {
    super(harmless(message), options);
    this.name = new.target.name;
    this.remedy = harmlessRemedy(remedy);
  }
}

/** A file that does not hold what its format promises: truncated, overlapping, out of range. */
export class CorruptFileError extends UserError {}

/** A well-formed request that this software cannot fulfil: unknown family, shrinking target. */
export class UnsupportedError extends UserError {}

/** Tensors that can be read as they are, but make no model that is grown or trained. */
export class OnlyTensorsError extends UnsupportedError {}

/** The arguments do not make sense together; the command line answers it with exit code 2. */
export class UsageError extends UserError {}

/** The person asked to stop. */
export class InterruptedError extends UserError {}

/** The loss stopped being a number. */
export class DivergedError extends UserError {}

/** The device failed in the middle of a run; what was read from it before is good. */
export class DeviceError extends UserError {}
