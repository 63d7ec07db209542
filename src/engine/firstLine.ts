/** The first line of what a library said when it failed, without the stop that ends our own sentence. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .split('\n')[0]!
    .replace(/[\s.]+$/, '')
    .trim();
}
