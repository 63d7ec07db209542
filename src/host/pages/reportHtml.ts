/** What a report may do: be read. It comes from a file, which anybody may have changed. */
const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'">`;

/**
 * A report as a webview shows it: under our policy, which comes before anything the file says, and light or dark as the editor is. The report's
 * own policy knows its style by a hash, which would forbid the style that VS Code adds.
 */
export function reportHtml(page: string, dark: boolean): string {
  const shown = page
    .replace(/^\s*<!doctype[^>]*>/i, '')
    .replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, '')
    .replace('<body>', '<body data-testid="ligo-report">')
    .replaceAll('(prefers-color-scheme:dark)', dark ? 'all' : 'not all')
    .replaceAll('color-scheme:light dark', `color-scheme:${dark ? 'dark' : 'light'}`);
  return `<!doctype html><head>${policy}${shown}`;
}
