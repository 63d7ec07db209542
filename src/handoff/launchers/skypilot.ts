import type { HandoffFacts, ProjectFile } from '../facts';
import { jobName, yamlText } from '../quote';
import { sharding } from '../sharding';

/** `skypilot.yaml`: machines of a cloud, to which model and data are copied. */
export function skypilotFiles(facts: HandoffFacts): readonly ProjectFile[] {
  const { machines, model, data } = facts;
  const { kind, why } = sharding(facts);
  const text = `# sky launch skypilot.yaml, in the project's folder.
# ${why}
name: ${jobName(model.name)}
num_nodes: ${machines.nodes}
resources:
  accelerators: "H100:${machines.gpus}" # change to what you may have
  # use_spot: true # with a bucket mounted at ~/output, so that checkpoints outlive the machine
workdir: .
file_mounts: # on the machines, and from where
  ~/model: ${yamlText(model.path)}
  ~/data: ${yamlText(data.path)}
setup: |
  pip install -r requirements.txt
run: |
  torchrun --nnodes "$SKYPILOT_NUM_NODES" --node-rank "$SKYPILOT_NODE_RANK" \\
    --nproc-per-node "$SKYPILOT_NUM_GPUS_PER_NODE" \\
    --master-addr "$(echo "$SKYPILOT_NODE_IPS" | head -n 1)" --master-port 29500 \\
    train.py${kind === 'fsdp' ? ' --fsdp' : ''} --model ~/model --data ~/data --output ~/output
`;
  return [{ name: 'skypilot.yaml', text }];
}
