import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The pages there are. */
export type PageName = 'progress' | 'run' | 'curves' | 'inspector' | 'difference';

const built = new URL('../../../dist/webview/', import.meta.url);
const nonce = 'dGVzdC1vbmx5LW5vbmNl';

/** As strict as the extension's own. */
const policy = [
  "default-src 'none'",
  "img-src 'self' data:",
  `style-src 'self' 'nonce-${nonce}'`,
  `script-src 'nonce-${nonce}'`,
].join('; ');

/** The body's classes in a theme; VS Code gives light high contrast those of the dark one too. */
const classes = (theme: string): string =>
  theme === 'high-contrast-light'
    ? 'vscode-high-contrast vscode-high-contrast-light'
    : `vscode-${theme}`;

const html = (name: string, theme: string): string => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta property="csp-nonce" content="${nonce}">
<title>LiGO ${name}</title>
<link rel="stylesheet" href="/theme.css">
<link rel="stylesheet" href="/${name}.css">
</head>
<body class="${classes(theme)} ${name === 'progress' ? 'in-sidebar' : 'in-editor'}">
<main id="root"></main>
<script nonce="${nonce}" src="/${name}.js"></script>
</body>
</html>`;

/** Serves the built pages on 127.0.0.1: /page/<name>?theme=dark. */
export async function servePages(): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const page = /^\/page\/(\w+)$/.exec(url.pathname)?.[1];
    const file = /^\/(\w+\.(?:js|css))$/.exec(url.pathname)?.[1];
    if (page !== undefined) {
      response.setHeader('Content-Security-Policy', policy);
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(html(page, url.searchParams.get('theme') ?? 'dark'));
      return;
    }
    if (url.pathname === '/favicon.ico') {
      response.writeHead(204).end();
      return;
    }
    const location =
      file === 'theme.css' ? new URL('theme.css', import.meta.url) : new URL(file ?? '-', built);
    readFile(location).then(
      content => {
        response.setHeader(
          'Content-Type',
          location.pathname.endsWith('.css') ? 'text/css' : 'text/javascript',
        );
        response.end(content);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => new Promise(resolve => server.close(() => resolve())),
  };
}
