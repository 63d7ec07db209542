// Collects what translators translate, from the host and the pages, into l10n/bundle.l10n.json:
//   node scripts/strings.mjs [--check]
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = join(root, 'l10n', 'bundle.l10n.json');
const sources = ['src/host', 'src/extension.ts', 'webview'].flatMap(place =>
  place.endsWith('.ts')
    ? [place]
    : readdirSync(join(root, place), { recursive: true })
        .filter(name => name.endsWith('.ts'))
        .map(name => join(place, name)),
);

/** Texts given to `vscode.l10n.t` (host), `t` (pages) or, in both forms, `plural`. */
function textsIn(path) {
  const texts = [];
  const file = ts.createSourceFile(
    path,
    readFileSync(join(root, path), 'utf8'),
    ts.ScriptTarget.ES2022,
  );
  const visit = node => {
    if (ts.isCallExpression(node) && node.arguments.length > 0) {
      const callee = node.expression;
      const translates =
        (ts.isIdentifier(callee) && callee.text === 't') ||
        (ts.isPropertyAccessExpression(callee) && callee.name.text === 't');
      const given = translates ? node.arguments.slice(0, 1) : [];
      if (ts.isIdentifier(callee) && callee.text === 'plural')
        given.push(...node.arguments.slice(1));
      for (const text of given) if (ts.isStringLiteralLike(text)) texts.push(text.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return texts;
}

const texts = [...new Set(sources.flatMap(textsIn))].sort();
const content = `${JSON.stringify(Object.fromEntries(texts.map(text => [text, text])), null, 2)}\n`;
if (!process.argv.includes('--check')) writeFileSync(bundle, content);
else if (readFileSync(bundle, 'utf8') !== content) {
  console.error('l10n/bundle.l10n.json is out of date: run node scripts/strings.mjs.');
  process.exit(1);
}
