/** A survey as plain text, for terminals and reports: both the command line and the editor show it. */
import { counted, formatBytes } from '../format';
import type { EngineReport, EngineSurvey, GraphicsAdapter, SelfTestResult } from './engines';

const stateWords: Readonly<Record<EngineReport['state'], string>> = {
  ready: 'ready',
  notInstalled: 'not installed',
  unusable: 'cannot run',
};

/** Threads of a processor: 1 thread, 2 threads. */
export const threadsText = (threads: number): string => counted(threads, 'thread');

/** Everything that was found, the choice, and what self tests gave. */
export function describeSurvey(
  survey: EngineSurvey,
  results: readonly SelfTestResult[] = [],
): string {
  const { machine, engines, choice, folder } = survey;
  const { vulkan, adapters, adapterProblem } = machine;
  const facts: readonly (readonly [string, string])[] = [
    ['system', `${machine.platform} ${machine.architecture}`],
    ['processor', `${machine.cpu}, ${threadsText(machine.threads)}`],
    [
      'memory',
      `${formatBytes(machine.memoryBytes)}, ${formatBytes(machine.freeMemoryBytes)} of it free`,
    ],
    ...adapters.map(adapter => ['graphics', describeAdapter(adapter)] as const),
    ...(adapters.length === 0 ? [['graphics', adapterProblem ?? 'no adapter found'] as const] : []),
    ...(vulkan
      ? [
          [
            'Vulkan',
            `${vulkan.loader ?? 'no loader'}; drivers: ${vulkan.drivers.join(', ') || 'none'}`,
          ] as const,
        ]
      : []),
    ['ONNX Runtime', `${machine.onnxRuntime.version} (${machine.onnxRuntime.backends.join(', ')})`],
    ['optional engines', folder],
  ];
  const rows = engines.map(({ title, state, device, note }) => [
    title,
    stateWords[state],
    state === 'unusable' ? note : `${device}; ${note}`,
  ]);
  const remedies = engines.flatMap(({ title, state, remedy }) =>
    state === 'ready' || remedy === undefined ? [] : [`${title}: ${remedy}`],
  );
  const tests = results.map(result => [titleOf(engines, result.name), describeResult(result)]);
  const sections = [
    columns(facts),
    columns(rows),
    `auto takes: ${choice.reason}.`,
    remedies.length > 0 ? ['To get more:', ...remedies.map(line => `  ${line}`)].join('\n') : '',
    tests.length > 0 ? `Self test, three steps each:\n${columns(tests)}` : '',
  ];
  return sections.filter(section => section !== '').join('\n\n');
}

function describeAdapter({ name, kind, driver, ...of }: GraphicsAdapter): string {
  const { memoryBytes, freeMemoryBytes, utilization } = of;
  const parts = [
    `${name} (${kind === 'software' ? 'display only' : kind})`,
    driver === undefined ? undefined : `driver ${driver}`,
    memoryBytes === undefined ? undefined : formatBytes(memoryBytes),
    freeMemoryBytes === undefined ? undefined : `${formatBytes(freeMemoryBytes)} of it free`,
    utilization === undefined ? undefined : `${Math.round(100 * utilization)} % busy`,
  ];
  return parts.filter(part => part !== undefined).join(', ');
}

const titleOf = (engines: readonly EngineReport[], name: string): string =>
  engines.find(each => each.name === name)?.title ?? name;

/** Seconds as milliseconds with the digits worth comparing: 2.4 ms, 165 ms. */
export const formatMilliseconds = (seconds: number): string =>
  `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;

/** What came of testing one engine, on one line. */
function describeResult(result: SelfTestResult): string {
  if (result.outcome === 'failed') return `failed: ${result.message} ${result.remedy}`;
  const difference = `losses within ${result.difference.toExponential(1)} of the CPU's`;
  const step = `${formatMilliseconds(result.secondsPerStep)} a step on ${result.device}`;
  return result.outcome === 'agrees' ? `${difference}, ${step}` : `WRONG: ${difference}, ${step}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map(row => row[at]!.length)));
  return rows
    .map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
