import { after, before, describe, test } from 'node:test';
import { openEditor, type Editor } from './editor';
import type { ServerOptions } from './server';
import { examplesWorkspace, type TestWorkspace } from './workspace';

/** What a step of a journey works with. */
export interface Traveller extends Editor {
  readonly workspace: TestWorkspace;
  /** Says something beside the outcome of the step, such as a time. */
  readonly tell: (text: string) => void;
}

/** Adds a step to a journey. */
export type Step = (name: string, work: (traveller: Traveller) => Promise<void> | void) => void;

/** How a journey begins. */
export interface JourneyOptions extends ServerOptions {
  /** Prefix of its screenshots. */
  readonly screenshots: string;
  /** Changes the copy of the examples before it is opened. */
  readonly prepare?: (workspace: TestWorkspace) => void;
}

/**
 * One person's way through one editor, opened on a copy of the examples: steps in order. When a step
 * fails, a picture of that moment is kept and the steps after it are skipped.
 */
export function journey(
  title: string,
  options: JourneyOptions,
  define: (step: Step) => void,
): void {
  describe(title, () => {
    let traveller: Omit<Traveller, 'tell'> | undefined;
    let failed: string | undefined;
    before(async () => {
      const workspace = examplesWorkspace();
      try {
        const { prepare, ...others } = options;
        prepare?.(workspace);
        const editor = await openEditor({ ...others, folder: workspace.folder });
        traveller = { ...editor, workspace };
      } catch (error) {
        workspace.remove();
        throw error;
      }
    });
    after(async () => {
      await traveller?.close();
      traveller?.workspace.remove();
    });
    define((name, work) => {
      test(name, { timeout: 600_000 }, async context => {
        if (!traveller || failed !== undefined) return context.skip(`"${failed}" failed before`);
        try {
          await work({ ...traveller, tell: text => context.diagnostic(text) });
        } catch (error) {
          failed = name;
          await traveller.bench.screenshot('failed');
          throw error;
        }
      });
    });
  });
}
