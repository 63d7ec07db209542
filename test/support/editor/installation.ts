import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository: the extension under test lives here. */
export const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** Absolute paths of what `scripts/setUpEditor.mjs` installed. */
export interface EditorPaths {
  /** The Node that the server and its extension host run on. */
  readonly node: string;
  /** VS Code's own server entry. */
  readonly server: string;
  readonly chromium: string;
}

/** Where the editor for tests is; throws with the command to run when it is not installed. */
export function editorPaths(): EditorPaths {
  const file = `${repository}out/editor/ready.json`;
  if (!existsSync(file)) {
    throw new Error('The editor for tests is missing: run `node scripts/setUpEditor.mjs` first.');
  }
  return (JSON.parse(readFileSync(file, 'utf8')) as { paths: EditorPaths }).paths;
}
