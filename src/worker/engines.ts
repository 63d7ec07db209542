import { fork } from 'node:child_process';
import { UsageError } from '../errors';
import { engineNames, type EngineName } from '../protocol/engines';
import type { UnwordedService } from './unwordedService';

/**
 * What the host asks about engines, loaded when it asks. The folder of optional engines comes by
 * LIGO_ENGINE_FOLDER.
 */
export const engineService: Pick<UnwordedService, 'survey' | 'install' | 'selfTest'> = {
  async survey() {
    const { surveyEngines } = await import('../engine/survey');
    return surveyEngines();
  },
  async install({ engine, nodePath, tensorFlow }, { signal, progress }) {
    const [{ engineFolder }, { installEngine }, { findNpm }, { testOne }] = await Promise.all([
      import('../engine/folder'),
      import('../engine/install'),
      import('../engine/npm'),
      import('../selfTest/selfTest'),
    ]);
    const npm = findNpm(process.env, nodePath);
    await installEngine(engine, {
      folder: engineFolder(),
      npm,
      signal,
      onLine: progress,
      ...(tensorFlow !== undefined && {
        tensorFlow: {
          path: tensorFlow,
          test: (name, folder, stop) =>
            testOne(name, { start: startSelfTest({ LIGO_ENGINE_FOLDER: folder }), signal: stop }),
        },
      }),
    });
  },
  async selfTest({ engines }, { signal }) {
    const { selfTest } = await import('../selfTest/selfTest');
    return selfTest(engines, { start: startSelfTest(), signal });
  },
};

const startSelfTest =
  (variables: NodeJS.ProcessEnv = {}) =>
  (name: EngineName) =>
    fork(process.argv[1]!, ['--self-test', name], {
      env: { ...process.env, ...variables },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });

/** Tests one engine and tells the parent process. */
export async function testEngine(name: string | undefined): Promise<void> {
  const known = engineNames.find(each => each === name);
  if (!known) throw new UsageError(`There is no engine called ${name}.`, 'Start the test again.');
  const [{ testInChild }, { openSurveyed }] = await Promise.all([
    import('../selfTest/selfTest'),
    import('../engine/open'),
  ]);
  await testInChild(known, openSurveyed(undefined));
}
