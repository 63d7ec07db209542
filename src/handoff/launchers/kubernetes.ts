import type { HandoffFacts, ProjectFile } from '../facts';
import { jobName } from '../quote';
import { torchImage } from '../requirements';
import { sharding } from '../sharding';

/** `trainjob.yaml`: a TrainJob of Kubeflow Trainer, which reads from and writes to a volume. */
export function kubernetesFiles(facts: HandoffFacts): readonly ProjectFile[] {
  const { machines, model } = facts;
  const { kind, why } = sharding(facts);
  const text = `# kubectl create -f trainjob.yaml, with Kubeflow Trainer 2.3 or later (older ones: podTemplateOverrides).
# ${why}
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: ${jobName(model.name)}
  # labels:
  #   kueue.x-k8s.io/queue-name: your-queue
spec:
  runtimeRef:
    name: torch-distributed
  trainer:
    image: ${torchImage}
    numNodes: ${machines.nodes}
    numProcPerNode: ${machines.gpus}
    resourcesPerNode:
      limits:
        nvidia.com/gpu: ${machines.gpus}
    command: [bash, -c]
    args:
      - >-
        pip install -r /workspace/project/requirements.txt &&
        exec torchrun /workspace/project/train.py${kind === 'fsdp' ? ' --fsdp' : ''}
        --model /workspace/model --data /workspace/data --output /workspace/output
  runtimePatches:
    - manager: ligo.grow/handoff
      trainingRuntimeSpec:
        template:
          spec:
            replicatedJobs:
              - name: node
                template:
                  spec:
                    template:
                      spec:
                        volumes:
                          - name: workspace
                            persistentVolumeClaim:
                              claimName: training # a claim of yours that all nodes can write to
                          - name: memory # workers of data loaders share tensors through it
                            emptyDir:
                              medium: Memory
                        containers:
                          - name: node
                            volumeMounts:
                              - name: workspace
                                mountPath: /workspace
                              - name: memory
                                mountPath: /dev/shm
`;
  return [{ name: 'trainjob.yaml', text }];
}
