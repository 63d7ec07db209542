import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type Page } from 'playwright-core';
import { servePages, type PageName } from './server';

/** The kinds of theme every page is tried in; the names are VS Code's. */
export const themes = ['dark', 'light', 'high-contrast', 'high-contrast-light'] as const;

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why the tests of pages cannot run here, or false when they can. */
export const skip: string | false = !existsSync(executablePath)
  ? `no browser at ${executablePath}: install Chromium or set CHROMIUM`
  : !existsSync(new URL('../../../dist/webview/run.js', import.meta.url))
    ? 'no built pages: npm run build'
    : false;

const screenshots = new URL('../../../out/screenshots/', import.meta.url);
const inPage = readFileSync(new URL('inPage.js', import.meta.url), 'utf8');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A page under test with what it did. */
export interface TestedPage {
  readonly page: Page;
  /** Delivers a message of the host. */
  send(message: unknown): Promise<void>;
  /** Messages the page sent to the host. */
  posted(): Promise<readonly Record<string, unknown>[]>;
  /** Evaluates an expression with the harness's functions. */
  ask<T>(expression: string): Promise<T>;
  /** What screen readers were told last, in all live regions of the page. */
  announced(): Promise<string>;
  screenshot(name: string): Promise<void>;
  /** Fails if axe finds something serious, a policy was violated, or anything left the machine. */
  assertClean(): Promise<void>;
}

/** A browser with the pages served to it. */
export interface Harness {
  open(
    name: PageName,
    options?: { theme?: (typeof themes)[number]; width?: number; height?: number },
  ): Promise<TestedPage>;
  close(): Promise<void>;
}

/** Starts browser and server. */
export async function startHarness(): Promise<Harness> {
  const server = await servePages();
  const browser: Browser = await chromium.launch({
    executablePath,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  mkdirSync(screenshots, { recursive: true });
  return {
    open: async (name, { theme = 'dark', width = 1200, height = 900 } = {}) => {
      const context = await browser.newContext({ viewport: { width, height } });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', message => {
        if (message.type() === 'error' || message.type() === 'warning') {
          complaints.push(`${message.text()} ${message.location().url}`);
        }
      });
      page.on('pageerror', error => complaints.push(String(error.stack ?? error)));
      page.on('request', request => {
        const url = request.url();
        if (!url.startsWith(server.origin) && !/^(data|blob):/.test(url)) {
          complaints.push(`left the machine: ${url}`);
        }
      });
      await page.addInitScript(inPage);
      await page.goto(`${server.origin}/page/${name}?theme=${theme}`);
      const ask = <T>(expression: string): Promise<T> => page.evaluate(expression) as Promise<T>;
      return {
        page,
        ask,
        send: async message => {
          await ask(`harness.send(${JSON.stringify(message)})`);
          await ask('harness.settle()');
        },
        posted: () => ask('harness.posted'),
        announced: () => ask('harness.announced()'),
        screenshot: async file => {
          await page.screenshot({
            path: new URL(`${file}.png`, screenshots).pathname,
            fullPage: true,
          });
        },
        assertClean: async () => {
          await ask(`${axe}; undefined`);
          const serious = await ask<unknown[]>(
            `axe.run().then(({ violations }) => violations
              .filter(({ impact }) => impact === 'serious' || impact === 'critical')
              .map(({ id, nodes }) => ({ id, nodes: nodes.map(node => node.html + ' ' + node.failureSummary) })))`,
          );
          assert.deepEqual(serious, [], 'axe');
          assert.deepEqual(await ask('harness.violations'), [], 'content security policy');
          assert.deepEqual(complaints, [], 'console and network');
          assert.equal(await ask('harness.overflow()'), 0, 'wider than the page');
        },
      };
    },
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}
