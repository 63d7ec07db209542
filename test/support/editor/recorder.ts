import type { BrowserContext, ConsoleMessage, Request } from 'playwright-core';

/** What a browser did that a test must know of. */
export interface Recorder {
  /** Addresses outside this machine that a page asked for. */
  readonly externalRequests: readonly string[];
  /** Violations of a content security policy, as the console names them. */
  readonly policyViolations: readonly string[];
  /** Every error in the console. */
  readonly errors: readonly string[];
}

const isLocal = ({ protocol, hostname }: URL): boolean =>
  !/^(http|ws)s?:$/.test(protocol) ||
  hostname === '127.0.0.1' ||
  hostname === 'localhost' ||
  // Files of the workspace and of extensions: answered by VS Code's service worker in the page.
  hostname.endsWith('.vscode-resource.vscode-cdn.net');

/** Starts to listen to all pages of a browser. */
export function recordBrowser(context: BrowserContext): Recorder {
  const externalRequests: string[] = [];
  const policyViolations: string[] = [];
  const errors: string[] = [];
  context.on('request', (request: Request) => {
    const url = new URL(request.url());
    if (!isLocal(url)) externalRequests.push(`${url.origin}${url.pathname}`);
  });
  context.on('console', (message: ConsoleMessage) => {
    const text = `${message.text()} (${message.location().url.slice(0, 120)})`;
    if (/content security policy/i.test(text)) policyViolations.push(text);
    if (message.type() === 'error') errors.push(text);
  });
  return { externalRequests, policyViolations, errors };
}
