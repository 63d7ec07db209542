import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { PageOptions } from '../../protocol/messages';
import type { Settings } from '../settings';

/** The pages there are: `dist/webview/<name>.js` and `.css`. */
export type PageName = 'progress' | 'run' | 'curves' | 'inspector' | 'difference';

/** Builds the pages: one place for their HTML, what they may load, and what they start with. */
export class Pages {
  constructor(
    private readonly root: vscode.Uri,
    private readonly settings: Settings,
  ) {}

  /** Lets a webview show a page and nothing else. */
  show(webview: vscode.Webview, name: PageName, title: string): void {
    const folder = vscode.Uri.joinPath(this.root, 'dist', 'webview');
    webview.options = {
      enableScripts: true,
      localResourceRoots: [folder, vscode.Uri.joinPath(this.root, 'media')],
    };
    const uri = (file: string): string =>
      webview.asWebviewUri(vscode.Uri.joinPath(folder, file)).toString();
    webview.html = pageHtml({
      name,
      title,
      language: vscode.env.language,
      nonce: randomBytes(18).toString('base64'),
      cspSource: webview.cspSource,
      script: uri(`${name}.js`),
      style: uri(`${name}.css`),
    });
  }

  /** The icon of our editors' tabs. */
  get icon(): { readonly light: vscode.Uri; readonly dark: vscode.Uri } {
    const file = (name: string): vscode.Uri => vscode.Uri.joinPath(this.root, 'media', name);
    return { light: file('tab-light.svg'), dark: file('tab-dark.svg') };
  }

  /** What every page is told first. */
  get options(): PageOptions {
    return { strings: translations(), colorMap: this.settings.colorMap };
  }
}

/** Pages translate by the same bundle as the host; without one everything stays English. */
function translations(): Record<string, string> {
  const bundle: Readonly<Record<string, unknown>> = vscode.l10n.bundle ?? {};
  return Object.fromEntries(
    Object.entries(bundle).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

interface PageParts {
  readonly name: PageName;
  readonly title: string;
  readonly language: string;
  readonly nonce: string;
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
}

/** A page. Nothing in it comes from a file or a person, except the title, which is escaped. */
function pageHtml({ name, title, language, nonce, cspSource, script, style }: PageParts): string {
  const policy = [
    `default-src 'none'`,
    `img-src ${cspSource} blob: data:`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    `font-src ${cspSource}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="csp-nonce" content="${nonce}">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${style}">
</head>
<body data-testid="ligo-${name}">
<main id="root"></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
