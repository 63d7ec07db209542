import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import ts from 'typescript';

/** What only people at a command line know the meaning of. */
const commandLineWords = /\bligo doctor\b|(?<![\w-])--[a-z][a-z-]*/g;

/** Every text of a file, comments left out; what stands between the parts of a template is a 1. */
function textsIn(path: string): string[] {
  const found: string[] = [];
  const source = ts.createSourceFile(
    path,
    readFileSync(path, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    else if (ts.isTemplateExpression(node)) {
      found.push(
        [node.head, ...node.templateSpans.map(({ literal }) => literal)]
          .map(({ text }) => text)
          .join('1'),
      );
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(name =>
  name.endsWith('.ts'),
);
// What `handoff` and `slurm/script.ts` write are scripts, which are started at a command line.
const isOfCommandLine = (name: string): boolean =>
  name.startsWith('cli') ||
  name.startsWith('handoff') ||
  name === join('slurm', 'script.ts') ||
  name === join('remedy', 'commandLine.ts');

/** One word that a program is started with, and no sentence. */
const isArgument = (text: string): boolean => /^--[a-z-]+(=\S*)?$/.test(text);

it('no text outside of the command line has its words', () => {
  // Its own options, not those of other programs and not the variables of style sheets.
  const own = new Set(
    sources
      .filter(isOfCommandLine)
      .flatMap(name => textsIn(join('src', name)))
      .flatMap(text => text.match(/^--[a-z-]+/) ?? []),
  );
  assert.ok(own.size > 50, `${own.size} options`);
  const texts = sources
    .filter(name => !isOfCommandLine(name))
    .flatMap(name => textsIn(join('src', name)).map(text => ({ name, text })));
  assert.ok(texts.length > 5000, `${texts.length} texts`);
  const faults = texts.flatMap(({ name, text }) => {
    const words = text.match(commandLineWords) ?? [];
    const isFault = words.some(word => own.has(word) || !word.startsWith('--'));
    return isFault && !isArgument(text) ? [`${name}: ${text}`] : [];
  });
  assert.deepEqual(faults, []);
});
