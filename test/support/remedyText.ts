import { commandLine } from '../../src/remedy/commandLine';
import { inWords, type Remedy } from '../../src/remedy/remedy';

/** A remedy as the command line says it. */
export const remedyText = (remedy: Remedy): string => inWords(remedy, commandLine);
