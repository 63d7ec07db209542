/** The kinds of theme VS Code tells a page through its body's classes. */
export type ThemeKind = 'dark' | 'light' | 'highContrastDark' | 'highContrastLight';

/** Which kind of theme the page is in now. */
export function themeKind(): ThemeKind {
  const classes = document.body.classList;
  if (classes.contains('vscode-high-contrast-light')) return 'highContrastLight';
  if (classes.contains('vscode-high-contrast')) return 'highContrastDark';
  return classes.contains('vscode-light') ? 'light' : 'dark';
}

/** Whether the background is dark. */
export const isDark = (): boolean => themeKind() === 'dark' || themeKind() === 'highContrastDark';

/** The value of a CSS variable of the theme, for canvases, which do not know CSS. */
export function themeColor(name: string, otherwise: string): string {
  return getComputedStyle(document.body).getPropertyValue(name).trim() || otherwise;
}

/** Tells when the theme changed, after its variables did. */
export function onThemeChange(listener: () => void): void {
  const observer = new MutationObserver(() => requestAnimationFrame(listener));
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
