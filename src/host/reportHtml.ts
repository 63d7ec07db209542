/** What a report may do: be read. It comes from a file, which anybody may have changed. */
const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`;

/**
 * A report as a webview shows it: under our policy, and light or dark as the editor is. The report's
 * own policy knows its style by a hash, which would forbid the style that VS Code adds.
 */
export function reportHtml(page: string, dark: boolean): string {
  return page
    .replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, '')
    .replace('<head>', `<head>${policy}`)
    .replace('<body>', '<body data-testid="ligo-report">')
    .replaceAll('(prefers-color-scheme:dark)', dark ? 'all' : 'not all')
    .replaceAll('color-scheme:light dark', `color-scheme:${dark ? 'dark' : 'light'}`);
}
