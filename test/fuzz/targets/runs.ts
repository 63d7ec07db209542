import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceClaims } from '../../../src/host/runs/deviceClaims';
import { localLauncher } from '../../../src/host/runs/launcher';
import { Runs } from '../../../src/host/runs/runs';
import { runFiles } from '../../../src/protocol/runFolder';
import { requestFor } from '../../unit/worker/runFolder';
import { hostileJson } from '../mutate';
import type { Targets } from './target';

/** Folders of runs, as the editor restores them. */
export const runs: Targets = {
  runs: {
    async prepare(folder) {
      const at = join(folder, 'run');
      mkdirSync(at);
      const request = requestFor('/out', { id: 'run', title: 'run' });
      const events = [
        { type: 'device', engine: 'cpu', device: 'CPU', time: 1 },
        { type: 'step', step: 1, steps: 3, loss: 3, seconds: 1, tokensPerSecond: 1, time: 4 },
        {
          type: 'evaluation',
          model: 'small',
          step: 0,
          loss: 1,
          accuracy: 1,
          perplexity: 1,
          batches: 1,
          time: 6,
        },
        { type: 'warning', message: 'm', remedy: 'r', time: 7 },
        { type: 'done', out: '/out', time: 12 },
      ];
      return async draw => {
        writeFileSync(
          join(at, runFiles.request),
          draw.chance(0.3) ? hostileJson(request, draw) : JSON.stringify(request),
        );
        writeFileSync(
          join(at, runFiles.process),
          draw.chance(0.3) ? hostileJson({ pid: 1, started: 1 }, draw) : '{"pid":1,"started":1}',
        );
        writeFileSync(
          join(at, runFiles.events),
          Buffer.concat(
            events.flatMap(event => [
              draw.chance(0.5) ? hostileJson(event, draw) : Buffer.from(JSON.stringify(event)),
              Buffer.from('\n'),
            ]),
          ),
        );
        let failed: unknown;
        const runs = new Runs({
          folder,
          devices: new DeviceClaims(join(folder, 'devices'), () => ''),
          launcher: localLauncher(() => {
            throw new Error('a run was started');
          }),
          keep: () => 1e6,
          mayStart: () => false,
          onError: error => (failed = error),
        });
        try {
          await runs.restore();
          for (const {
            request: { id },
          } of runs.list()) {
            await runs.load(id);
            structuredClone(runs.get(id)!.detail(phase => phase));
          }
          if (failed !== undefined) throw failed;
        } finally {
          runs.dispose();
        }
      };
    },
  },
};
