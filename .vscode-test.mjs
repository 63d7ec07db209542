// The host tests in a downloaded desktop VS Code, for those who can reach its update server:
//   npm run build && node scripts/test.mjs host && npx @vscode/test-cli
// `npm test` does not need this: it runs the same suites in the editor of scripts/setUpEditor.mjs.
export default {
  files: 'out/host-tests/suite/*.cjs',
  workspaceFolder: 'examples',
  mocha: { ui: 'tdd', timeout: 60_000 },
};
