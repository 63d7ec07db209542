import { counted, flopUnit, formatCount } from '../format';
import type { ComparisonReport } from '../protocol/comparison';
import { methodTitle } from '../protocol/methodTitles';
import { html, type Content, type Markup } from './markup';
import { inUnit, lossText } from './quantities';
import { by } from '../remedy/actions';
import { commandLine } from '../remedy/commandLine';
import { advise, inWords } from '../remedy/remedy';

/** What a reader must know before believing the numbers; nothing where all is well. */
export function troubles({ methods, runs, notes: known }: ComparisonReport): Markup | undefined {
  const failures = methods.flatMap(summary => summary.failures);
  const warned = runs.flatMap(run =>
    run.state === 'finished'
      ? run.warnings.map(warning => `${methodTitle(run.method)}, seed ${run.seed}: ${warning}`)
      : [],
  );
  const notes = [
    ...known.map(({ message, remedy }) => `${message} ${remedy}`),
    ...failures.map(
      ({ method, seed, message, remedy }) =>
        `${methodTitle(method)}, seed ${seed}, failed. ${message} ${remedy}`,
    ),
    ...warned,
  ];
  if (notes.length === 0) return undefined;
  return html`<section aria-labelledby="troubles">
    <h2 id="troubles">To know first</h2>
    <ul>
      ${notes.map(note => html`<li>${note}</li>`)}
    </ul>
  </section>`;
}

/** Where trained models lie; nothing where none were kept. */
export function keptModels({ models = [] }: ComparisonReport): Markup | undefined {
  if (models.length === 0) return undefined;
  return html`<section aria-labelledby="kept">
    <h2 id="kept">Trained models</h2>
    <p>
      Checkpoints beside this report, with receipts; transformers loads them as they are. The winner
      is the first method of the table above, of several seeds the one with the lowest held-out loss
      at its end.
    </p>
    <ul>
      ${models.map(
        ({ method, seed, folder, loss }) =>
          html`<li>
            <code>${folder}</code>: ${methodTitle(method)}, seed ${seed}, held-out loss
            ${lossText(loss)}
          </li>`,
      )}
    </ul>
  </section>`;
}

/** How the savings are defined. */
export function definitions({ smallTraining, settings }: ComparisonReport): Markup {
  const small = smallTraining
    ? `The small model’s own training (${formatCount(smallTraining.steps)} ${smallTraining.steps === 1 ? 'step' : 'steps'}, ${inUnit(smallTraining.flops, flopUnit)}, by ${smallTraining.from}) is counted as the method’s in the column that says so, and nowhere else.`
    : inWords(
        advise`The small model’s own training is not counted, as in the paper; nobody said what it took${by('smallSteps', 'smallBatch')}.`,
        commandLine,
      );
  return html`<p>
      A saving is 1 − method / scratch: what each had spent when its held-out loss first reached the
      loss that training from scratch ended with, on the same seed. Between evaluations,
      ${counted(settings.evaluateEvery, 'step')} apart, the loss is taken to fall on a straight
      line. A method is charged for its growth and for its training; evaluations are charged to
      nobody.
    </p>
    <p>
      <strong>FLOPs</strong> are counted exactly, on the very programs that ran, forward, backward
      and optimizer. <strong>The paper’s FLOPs</strong> are the count its authors used, made for
      ELECTRA, in which the backward pass costs as much as the forward pass; for models other than
      masked language models it is extended by us. <strong>Logits changed</strong> is ‖grown −
      small‖ / ‖small‖ on one held-out batch before training: 0 for a growth that preserves the
      function.
    </p>
    <p>${small}</p>`;
}

/** What each method is, and where it comes from. */
export const sources = ({ methods }: ComparisonReport): Markup =>
  html`<dl>
    ${methods.map(
      ({ title, does, source }) =>
        html`<dt>${title}</dt>
          <dd>${does} <span class="quiet">${linked(source)}</span></dd> `,
    )}
  </dl>`;

/** A source with its arXiv number as a link. */
function linked(source: string): Content {
  const [before, number, after] = source.split(/arXiv (\d{4}\.\d{4,5})/);
  if (number === undefined) return source;
  return [
    before,
    html`<a href="https://arxiv.org/abs/${number}" rel="noreferrer">arXiv ${number}</a>`,
    after,
  ];
}

/** Everything that decides the numbers, and how to get them again. */
export function conditions(report: ComparisonReport): Markup {
  const { source, target, data, settings, machine, flopsPerStep, small } = report;
  const batch =
    data.unit === 'images'
      ? counted(data.batchSize, 'image')
      : `${data.batchSize} × ${data.sequenceLength} tokens`;
  const rows: readonly (readonly [string, Content])[] = [
    [
      'small model',
      `${source.path}, ${formatCount(source.parameters)} parameters, SHA-256 ${source.sha256}`,
    ],
    ['its held-out loss', small && lossText(small.loss)],
    [
      'large model',
      `${target.modelClass} ${target.layers} × ${target.hidden}, ${counted(target.heads, 'head')}, ${target.ffn} feed-forward units, ${formatCount(target.parameters)} parameters`,
    ],
    ['data', `${data.path}, SHA-256 ${data.sha256}`],
    [
      'held out',
      `${data.heldOut}; ${counted(data.evaluationBatches, 'batch', 'batches')}, the same for every run`,
    ],
    ['lines of text', data.separator],
    ['batch', batch],
    ['seeds', settings.seeds.join(', ')],
    [
      'a training step',
      `${inUnit(flopsPerStep.exact, flopUnit)}; ${inUnit(flopsPerStep.paper, flopUnit)} by the paper’s count`,
    ],
    ['training', settingsText(settings.training)],
    ...Object.entries(settings.growth).map(
      ([method, own]) => [`growing by ${methodTitle(method)}`, settingsText(own)] as const,
    ),
    ['engine', machine.engine.device],
    [
      'machine',
      `${machine.processor}, ${counted(machine.cores, 'core')}, ${machine.parallel === 1 ? 'one run' : `${machine.parallel} runs`} at a time`,
    ],
    [
      'same batches',
      report.sameBatches
        ? 'yes: all methods of a seed read the same, by SHA-256 of what they were given'
        : 'no',
    ],
    [
      'made',
      `${report.created.slice(0, 16).replace('T', ' ')} UTC by ${report.software.name} ${report.software.version}`,
    ],
  ];
  const shown = rows.filter(([, value]) => value !== undefined);
  const repeat = report.command
    ? html`<h3>To repeat it</h3>
        <pre><code>${report.command}</code></pre>`
    : undefined;
  return html`<dl>
      ${shown.map(
        ([label, value]) =>
          html`<dt>${label}</dt>
            <dd>${value}</dd> `,
      )}
    </dl>
    ${repeat}`;
}

/** Settings as people read them: learning rate 0.001, weight decay 0.01. */
const settingsText = (settings: Readonly<Record<string, unknown>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${wordsOf(name)} ${valueText(value)}`)
    .join(', ');

const wordsOf = (name: string): string =>
  name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `(${value.join(', ')})`;
  if (typeof value === 'object' && value !== null) {
    return `(${settingsText(value as Record<string, unknown>)})`;
  }
  return String(value);
}
