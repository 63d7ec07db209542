import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { InterruptedError } from '../../../src/errors';
import { lengthWarning } from '../../../src/run/score/positionLosses';
import { memoryRefusal } from '../../../src/run/plan/memoryRefusal';
import { forEditor, inEditor } from '../../../src/worker/editorWords';
import { explainFailure } from '../../../src/worker/failure';

describe('a run that was stopped', () => {
  it('is gone on with where something of it is kept, and begins again where not', () => {
    const remedyOf = (saved: boolean): string =>
      explainFailure(new InterruptedError('Stopped.', 'Give --resume.', { saved })).remedy;
    assert.equal(remedyOf(true), 'Resume the run to go on.');
    assert.equal(remedyOf(false), 'Start the run again.');
  });
});

describe('a remedy in the editor', () => {
  it('names the line of the plan that shortens sequences', () => {
    const parts = [3, 3, 3, 3, 5, 5, 5, 5].map((mean, index) => ({
      ...{ from: 8 * index, targets: 500, mean, standardError: 0.05 },
    }));
    assert.equal(
      inEditor(lengthWarning(parts)!.remedy),
      'Use sequences of at most 32 tokens (Sequence Length… in the plan).',
    );
  });

  it('says in words what options of the command line say', () => {
    const { remedy } = memoryRefusal(2e9, { bytes: 1e9, of: 'main memory' })!;
    assert.match(inEditor(remedy), /^Lower the batch or the length of sequences, choose a smaller/);
    assert.equal(
      inEditor('Lower --batch or --sequence-length, or give --engine cpu.'),
      'Lower the batch or the length of sequences, or set ligo.engine to cpu.',
    );
    assert.equal(
      inEditor('Give more text, a smaller --sequence-length, or a separate text (--eval-data).'),
      'Give more text, shorter sequences, or a separate text.',
    );
    assert.equal(
      inEditor('Give --sequence-length 128 or less.'),
      'Use sequences of at most 128 tokens.',
    );
  });

  it('is found wherever it stands in an answer, and numbers stay as they are', () => {
    const values = Float32Array.of(1, 2);
    const refusals = [{ reason: 'It has 2.', remedy: 'Ask for more layers (--layers) alone.' }];
    assert.deepEqual(forEditor({ growth: { refusals }, values }), {
      growth: { refusals: [{ reason: 'It has 2.', remedy: 'Ask for more layers alone.' }] },
      values,
    });
  });

  it('names no option by its spelling on the command line, whatever room it comes from', () => {
    const said = remediesIn('src').filter(text => text.includes('--'));
    assert.ok(said.length > 50, `${said.length} remedies name options`);
    for (const text of said) assert.doesNotMatch(inEditor(text), /--[a-z]/);
  });
});

/** Texts that go with errors and notes as what to do: second arguments of errors, and `remedy`. */
function remediesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter(name => name.endsWith('.ts') && !name.startsWith('cli'))
    .flatMap(name => {
      const found: string[] = [];
      const text = (node: ts.Node | undefined): void => {
        if (!node) return;
        if (ts.isStringLiteralLike(node)) found.push(node.text);
        else if (ts.isTemplateExpression(node)) {
          found.push(
            node.head.text + node.templateSpans.map(({ literal }) => `1${literal.text}`).join(''),
          );
        } else if (ts.isConditionalExpression(node)) {
          text(node.whenTrue);
          text(node.whenFalse);
        }
      };
      const visit = (node: ts.Node): void => {
        if (ts.isNewExpression(node) && node.expression.getText(source).endsWith('Error')) {
          text(node.arguments?.[1]);
        }
        if (ts.isPropertyAssignment(node) && node.name.getText(source) === 'remedy') {
          text(node.initializer);
        }
        ts.forEachChild(node, visit);
      };
      const content = readFileSync(join(folder, name), 'utf8');
      const source = ts.createSourceFile(name, content, ts.ScriptTarget.Latest, true);
      visit(source);
      return found;
    });
}
