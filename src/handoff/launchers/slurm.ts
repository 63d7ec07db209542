import type { HandoffFacts, ProjectFile } from '../facts';
import { jobName } from '../quote';
import { sharding } from '../sharding';

/** `train.sbatch`: one task a GPU, saved and queued again before its time is over. */
export function slurmFiles(facts: HandoffFacts): readonly ProjectFile[] {
  const { machines, slurm, model } = facts;
  const { kind, why } = sharding(facts);
  const asked = [
    ['partition', slurm.partition],
    ['account', slurm.account],
    ['time', slurm.time],
  ].flatMap(([option, value]) => (value === undefined ? [] : [`#SBATCH --${option}=${value}`]));
  const text = `#!/bin/bash
#SBATCH --job-name=${jobName(model.name)}
#SBATCH --nodes=${machines.nodes}
#SBATCH --ntasks-per-node=${machines.gpus}
#SBATCH --gpus-per-node=${machines.gpus}
${asked.map(line => `${line}\n`).join('')}#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
# One task a GPU. Two minutes before the time is over Slurm sends USR1: the training saves, and the job
# is queued again and goes on from there. The same when it is preempted (TERM).
# ${why}
set -uo pipefail
cd "$SLURM_SUBMIT_DIR" || exit # Slurm runs a copy of this script: call sbatch in the project's folder.

# Change here how Python is found: module load …, or source …/bin/activate
MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
WORLD_SIZE=$SLURM_NTASKS
OMP_NUM_THREADS=\${SLURM_CPUS_PER_TASK:-1}
export MASTER_ADDR MASTER_PORT WORLD_SIZE OMP_NUM_THREADS

srun bash -c 'RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID exec python train.py "$@"' train.py${kind === 'fsdp' ? ' --fsdp' : ''} "$@" &
step=$!
trap 'kill -USR1 "$step"' USR1 TERM
wait "$step"
status=$?
while kill -0 "$step" 2>/dev/null; do # a signal ends the wait, not the training
  wait "$step"
  status=$?
done
if [ "$status" = 75 ] || [ "$status" = 138 ]; then # train.py saved, or had not begun yet
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
`;
  return [{ name: 'train.sbatch', text }];
}
