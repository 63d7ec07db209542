import type { HandoffFacts, ProjectFile } from '../facts';
import { processes, sharding } from '../sharding';

/** `accelerate.yaml`, for `accelerate launch`. */
export function accelerateFiles(facts: HandoffFacts): readonly ProjectFile[] {
  const { machines } = facts;
  const { kind, why } = sharding(facts);
  const type = { single: 'NO', ddp: 'MULTI_GPU', fsdp: 'FSDP' }[kind];
  const lines = [
    `# ${why}`,
    'compute_environment: LOCAL_MACHINE',
    `distributed_type: "${type}"`,
    `num_processes: ${processes(machines)} # GPUs of all machines together`,
    `num_machines: ${machines.nodes}`,
    ...(machines.nodes > 1
      ? [
          'machine_rank: 0 # 0, 1, 2, …: say it on each machine with --machine_rank',
          'rdzv_backend: static',
          'main_process_port: 29500 # and --main_process_ip, the address of machine 0',
        ]
      : []),
    'mixed_precision: "no" # train.py --precision decides',
    ...(kind === 'fsdp'
      ? [
          'fsdp_config:',
          '  fsdp_version: 2',
          '  fsdp_reshard_after_forward: true # full shard: weights, gradients and moments',
          '  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP # a unit a layer, as the model names them',
          '  fsdp_offload_params: false',
          '  fsdp_state_dict_type: FULL_STATE_DICT # whole checkpoints, in safetensors',
        ]
      : []),
  ];
  return [{ name: 'accelerate.yaml', text: `${lines.join('\n')}\n` }];
}
