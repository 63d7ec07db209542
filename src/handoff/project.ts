import type { Launcher } from '../protocol/handoff';
import type { HandoffFacts, ProjectFile } from './facts';
import { accelerateFiles } from './launchers/accelerate';
import { kubernetesFiles } from './launchers/kubernetes';
import { skypilotFiles } from './launchers/skypilot';
import { slurmFiles } from './launchers/slurm';
import { torchrunFiles } from './launchers/torchrun';
import { imagesPy } from './python/images';
import { textPy } from './python/text';
import { trainPy } from './python/train';
import { readmeText } from './readme';
import { requirementsText } from './requirements';
import { exampleFiles, settingsText } from './settings';

const launcherFiles: Readonly<Record<Launcher, (facts: HandoffFacts) => readonly ProjectFile[]>> = {
  accelerate: accelerateFiles,
  torchrun: torchrunFiles,
  slurm: slurmFiles,
  skypilot: skypilotFiles,
  kubernetes: kubernetesFiles,
};

/** All files of a project that trains a checkpoint on in PyTorch. */
export const projectFiles = (facts: HandoffFacts): readonly ProjectFile[] => [
  { name: 'README.md', text: readmeText(facts) },
  { name: 'train.py', text: trainPy },
  { name: 'data.py', text: facts.data.kind === 'text' ? textPy : imagesPy },
  { name: 'handoff.json', text: settingsText(facts) },
  ...exampleFiles(facts.data),
  { name: 'requirements.txt', text: requirementsText(facts) },
  ...launcherFiles[facts.to](facts),
];
