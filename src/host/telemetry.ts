import type { TelemetryReporter } from '@vscode/extension-telemetry';
import type { Disposable } from './lifetime';

/** Set at build time; empty unless somebody builds with a connection string of their own. */
declare const LIGO_TELEMETRY_CONNECTION: string;

/** Every event that may be sent; `telemetry.json` describes them. Words are enumerated, never free. */
export interface TelemetryEvents {
  activate: { readonly milliseconds: number };
  runStarted: { readonly method: string; readonly family: string };
  runEnded: { readonly method: string; readonly status: string; readonly seconds: number };
  inspected: { readonly tensors: number };
}

/** Counts, durations and words out of fixed lists: nothing else can be sent through here. */
export class Telemetry implements Disposable {
  private reporter: Promise<TelemetryReporter> | undefined;

  /** Without a connection string nothing is created and nothing is sent. */
  send<E extends keyof TelemetryEvents>(event: E, facts: TelemetryEvents[E]): void {
    if (LIGO_TELEMETRY_CONNECTION) {
      const words: Record<string, string> = {};
      const numbers: Record<string, number> = {};
      for (const [name, fact] of Object.entries<string | number>({ ...facts })) {
        if (typeof fact === 'number') numbers[name] = fact;
        else words[name] = fact;
      }
      this.reporter ??= import('@vscode/extension-telemetry').then(
        ({ TelemetryReporter: Reporter }) => new Reporter(LIGO_TELEMETRY_CONNECTION),
      );
      // The reporter itself heeds what the person set for telemetry. A failure of it is nobody's worry.
      this.reporter.then(
        reporter => reporter.sendTelemetryEvent(event, words, numbers),
        () => undefined,
      );
    }
  }

  async dispose(): Promise<void> {
    await (await this.reporter)?.dispose();
  }
}
