import * as vscode from 'vscode';
import { UserError } from '../../errors';
import {
  optionalEngines,
  type EngineReport,
  type EngineSurvey,
  type OptionalEngine,
  type SelfTestResult,
} from '../../protocol/engines';
import { describeSurvey, formatMilliseconds } from '../../protocol/engineText';
import type { ServiceClient } from '../serviceClient';
import type { Settings } from '../settings';
import { explain, formatBytes, plural } from '../text';
import { chooseBuild } from './engineBuild';

/** What setting up engines needs from the rest of the host. */
export interface EngineSetupParts {
  readonly service: ServiceClient;
  readonly settings: Settings;
}

type Action =
  | { readonly kind: 'install'; readonly engine: OptionalEngine }
  | { readonly kind: 'build' | 'test' | 'copy' | 'settings' };

interface Item extends vscode.QuickPickItem {
  readonly action?: Action;
}

/**
 * Shows what this machine computes with and what is missing, and installs optional engines into the
 * extension's own storage. Everything is done in the helper process.
 */
export async function setUpGpuEngine(parts: EngineSetupParts): Promise<void> {
  const { service } = parts;
  for (;;) {
    const survey = service.call('survey', {});
    const picked = await vscode.window.showQuickPick<Item>(survey.then(itemsOf), {
      title: vscode.l10n.t('Set Up GPU Engine'),
      placeHolder: vscode.l10n.t('What this machine computes with'),
      matchOnDescription: true,
      matchOnDetail: true,
      ignoreFocusOut: true,
    });
    if (!picked) return;
    const { action } = picked;
    switch (action?.kind) {
      case 'install':
        return install(parts, { engine: action.engine });
      case 'build': {
        const build = await chooseBuild(await survey);
        return build && install(parts, build);
      }
      case 'test':
        return test(parts, (await survey).engines.filter(isReady));
      case 'copy':
        await vscode.env.clipboard.writeText(describeSurvey(await survey));
        void vscode.window.showInformationMessage(vscode.l10n.t('The report was copied.'));
        return;
      case 'settings':
        await vscode.commands.executeCommand('workbench.action.openSettings', 'ligo.engine');
        return;
    }
    // A line that only tells something: the list stays until it is closed.
  }
}

const isReady = ({ state }: EngineReport): boolean => state === 'ready';

function itemsOf(survey: EngineSurvey): Item[] {
  const { engines, choice, machine } = survey;
  const separator = (label: string): Item => ({
    label,
    kind: vscode.QuickPickItemKind.Separator,
  });
  const installable = engines.filter(
    (report): report is EngineReport & { readonly name: OptionalEngine } =>
      report.state === 'notInstalled' &&
      (optionalEngines as readonly string[]).includes(report.name),
  );
  return [
    separator(vscode.l10n.t('engines')),
    ...engines.map(report => engineItem(report, report.name === choice.name)),
    separator(vscode.l10n.t('this machine')),
    { label: `$(chip) ${machine.cpu}`, description: cpuFacts(survey) },
    ...machine.adapters.map(({ name, driver, memoryBytes }) => ({
      label: `$(device-desktop) ${name}`,
      description: [
        memoryBytes === undefined ? '' : formatBytes(memoryBytes),
        driver === undefined ? '' : vscode.l10n.t('driver {0}', driver),
      ]
        .filter(text => text !== '')
        .join(' · '),
    })),
    separator(vscode.l10n.t('actions')),
    ...installable.map(({ name, title, device }) => ({
      label: `$(cloud-download) ${vscode.l10n.t('Install {0}…', title)}`,
      description: device,
      action: { kind: 'install', engine: name } as const,
    })),
    {
      label: `$(tools) ${vscode.l10n.t('Build with a TensorFlow I Have…')}`,
      description: vscode.l10n.t(
        'TensorFlow.js on a newer TensorFlow, from a wheel or its C library',
      ),
      action: { kind: 'build' },
    },
    {
      label: `$(beaker) ${vscode.l10n.t('Test Every Engine')}`,
      description: vscode.l10n.t('a tiny step on each, compared with the CPU'),
      action: { kind: 'test' },
    },
    {
      label: `$(settings-gear) ${vscode.l10n.t('Choose the Engine…')}`,
      description: vscode.l10n.t('the setting ligo.engine'),
      action: { kind: 'settings' },
    },
    { label: `$(copy) ${vscode.l10n.t('Copy Report')}`, action: { kind: 'copy' } },
  ];
}

const cpuFacts = ({ machine }: EngineSurvey): string =>
  vscode.l10n.t(
    '{0} · {1} of {2} memory free',
    plural(machine.threads, '{0} thread', '{0} threads'),
    formatBytes(machine.freeMemoryBytes),
    formatBytes(machine.memoryBytes),
  );

function engineItem({ title, state, device, note, remedy }: EngineReport, chosen: boolean): Item {
  const states: Record<EngineReport['state'], readonly [string, string]> = {
    ready: ['$(pass)', vscode.l10n.t('ready')],
    notInstalled: ['$(circle-outline)', vscode.l10n.t('not installed')],
    unusable: ['$(circle-slash)', vscode.l10n.t('cannot run here')],
  };
  const [icon, word] = states[state];
  const help = state === 'unusable' ? remedy : undefined;
  return {
    label: `${icon} ${title}`,
    description: chosen ? vscode.l10n.t('{0}, chosen by auto', word) : word,
    detail: [state === 'unusable' ? '' : device, note, help ?? '']
      .filter((text, index, all) => text !== '' && all.indexOf(text) === index)
      .join(' · '),
  };
}

/** What is to be installed. */
interface Installation {
  readonly engine: OptionalEngine;
  /** What to build it with. */
  readonly tensorFlow?: string;
}

/** Installs an engine with its progress in a notification, then tests it. */
async function install(parts: EngineSetupParts, wanted: Installation): Promise<void> {
  const { service, settings } = parts;
  const { engine, tensorFlow } = wanted;
  const installed = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title:
        tensorFlow === undefined
          ? vscode.l10n.t('Installing an engine')
          : vscode.l10n.t('Building an engine'),
      cancellable: true,
    },
    async (progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      try {
        await service.call(
          'install',
          { ...wanted, nodePath: settings.nodePath },
          {
            signal: controller.signal,
            onProgress: line => progress.report({ message: line.slice(0, 120) }),
          },
        );
        return true as const;
      } catch (error) {
        return controller.signal.aborted ? undefined : explain(error);
      }
    },
  );
  if (installed !== true && installed !== undefined) {
    const again = vscode.l10n.t('Try Again');
    const { message, remedy } = installed;
    const answer = await vscode.window.showErrorMessage(`${message} ${remedy}`, again);
    return answer === again ? install(parts, wanted) : undefined;
  }
  if (!installed) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The installation was cancelled; nothing was left behind.'),
    );
    return;
  }
  const survey = await service.call('survey', {});
  const report = survey.engines.find(({ name }) => name === engine);
  if (report?.state === 'ready') return test(parts, [report]);
  throw new UserError(
    vscode.l10n.t('It is installed, but cannot run here: {0}.', report?.note ?? engine),
    report?.remedy ?? vscode.l10n.t('The other engines work without it.'),
  );
}

/** Tests engines with a notification, and tells what came of it. */
async function test(parts: EngineSetupParts, reports: readonly EngineReport[]): Promise<void> {
  const engines = reports.map(({ name }) => name);
  const results = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Testing engines'),
      cancellable: true,
    },
    async (_, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      return parts.service
        .call('selfTest', { engines }, { signal: controller.signal })
        .catch((error: unknown) => {
          if (controller.signal.aborted) return undefined;
          throw error;
        });
    },
  );
  if (!results) return;
  const titles = new Map(reports.map(({ name, title }) => [name, title]));
  const lines = results.map(result => describeResult(titles.get(result.name) ?? '', result));
  const text = lines.join(' ');
  const show = results.every(({ outcome }) => outcome === 'agrees')
    ? vscode.window.showInformationMessage
    : vscode.window.showWarningMessage;
  const copy = vscode.l10n.t('Copy Report');
  void show(text, copy).then(async answer => {
    if (answer !== copy) return;
    const survey = await parts.service.call('survey', {});
    await vscode.env.clipboard.writeText(describeSurvey(survey, results));
  });
}

/** One sentence a result. */
function describeResult(title: string, result: SelfTestResult): string {
  if (result.outcome === 'failed') return `${title}: ${result.message} ${result.remedy}`;
  const time = formatMilliseconds(result.secondsPerStep);
  return result.outcome === 'agrees'
    ? vscode.l10n.t('{0} works: {1} a step.', title, time)
    : vscode.l10n.t(
        '{0} computes wrongly: its losses differ from the CPU’s by {1}. Do not use it.',
        title,
        result.difference.toExponential(1),
      );
}
