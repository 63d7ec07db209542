import type { HandoffFacts, ProjectFile } from '../facts';
import { sharding } from '../sharding';

/** `torchrun.sh`: the same program on every machine. */
export function torchrunFiles(facts: HandoffFacts): readonly ProjectFile[] {
  const { nodes, gpus } = facts.machines;
  const { kind, why } = sharding(facts);
  const where =
    nodes === 1
      ? '--standalone'
      : `--nnodes ${nodes} --rdzv-backend c10d --rdzv-endpoint "\${HEAD:?Set HEAD to host:port of the first machine.}"`;
  const lines = [
    '#!/bin/bash',
    nodes === 1
      ? '# Trains on the GPUs of this machine: bash torchrun.sh [options of train.py]'
      : `# On each of ${nodes} machines: HEAD=first-machine:29500 bash torchrun.sh [options of train.py]`,
    `# ${why}`,
    'set -euo pipefail',
    'here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)',
    `exec torchrun ${where} --nproc-per-node "\${GPUS:-${gpus}}" "$here/train.py"${kind === 'fsdp' ? ' --fsdp' : ''} "$@"`,
  ];
  return [{ name: 'torchrun.sh', text: `${lines.join('\n')}\n` }];
}
