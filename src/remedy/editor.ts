import { flags } from './commandLine';
import { enumerated } from './enumerated';
import type { Cut, Option, Setting, Words } from './remedy';

/** An option that only the command line has. */
const elsewhere = { in: 'commandLine' } as const;

/** Where the editor has an option, by the label that it has there. */
type Home =
  | typeof elsewhere
  | {
      /** Lists behind "More…" and of the plan, settings, or steps of the wizard that ask anyway. */
      readonly in: 'more' | 'plan' | 'settings' | 'wizard';
      readonly label: string;
      /** It is on or off. */
      readonly isSwitch?: true;
    };

type Homes = Readonly<Record<Option, Home>>;

/** Where the editor has each option of a growth or a comparison. */
export const homes: Homes = {
  accumulate: { in: 'more', label: 'Accumulate' },
  batch: { in: 'plan', label: 'Batch' },
  config: elsewhere,
  data: { in: 'wizard', label: 'data' },
  dropHead: elsewhere,
  engine: { in: 'settings', label: 'ligo.engine' },
  engineFolder: elsewhere,
  evalBatches: elsewhere,
  evalData: elsewhere,
  evaluateEvery: elsewhere,
  ffn: { in: 'more', label: 'Feed-Forward Units' },
  heads: { in: 'more', label: 'Heads' },
  hidden: { in: 'wizard', label: 'hidden units' },
  jobMemory: elsewhere,
  jobTime: elsewhere,
  kvHeads: { in: 'more', label: 'Key-Value Heads' },
  layerDrop: elsewhere,
  layers: { in: 'wizard', label: 'layers' },
  learningRate: { in: 'more', label: 'Learning Rate' },
  leaveOutBroken: elsewhere,
  lineSeparator: elsewhere,
  method: { in: 'wizard', label: 'the method' },
  methods: { in: 'wizard', label: 'the methods' },
  optimizerState: elsewhere,
  parallel: elsewhere,
  precision: { in: 'more', label: 'Mixed Precision', isSwitch: true },
  recompute: { in: 'more', label: 'Recompute Activations', isSwitch: true },
  saveEvery: elsewhere,
  sequenceLength: { in: 'plan', label: 'Sequence Length' },
  shareFfn: { in: 'more', label: 'Share Feed-Forward Operators', isSwitch: true },
  smallBatch: elsewhere,
  smallSteps: elsewhere,
  steps: { in: 'wizard', label: 'the steps' },
  subNetworkLayers: elsewhere,
  subNetworkSteps: elsewhere,
  tokenDrop: elsewhere,
  trainingRate: elsewhere,
  warmup: elsewhere,
};

/** Where it has each option of a training. */
export const trainingHomes: Homes = {
  ...homes,
  evaluateEvery: { in: 'plan', label: 'Evaluate' },
  layerDrop: { in: 'more', label: 'Layer Drop' },
  learningRate: { in: 'plan', label: 'Learning Rate' },
  steps: { in: 'plan', label: 'Steps' },
  subNetworkLayers: { in: 'more', label: 'Sub-Network Layers' },
  subNetworkSteps: { in: 'more', label: 'Sub-Network Steps' },
  tokenDrop: { in: 'more', label: 'Token Drop' },
  warmup: { in: 'more', label: 'Warm-Up' },
};

/** Where it has each option of a project for PyTorch. */
export const handoffHomes: Homes = {
  ...homes,
  accumulate: elsewhere,
  learningRate: elsewhere,
  lineSeparator: { in: 'plan', label: 'Lines' },
  recompute: elsewhere,
  steps: { in: 'plan', label: 'Steps' },
  trainingRate: { in: 'plan', label: 'Learning Rate' },
};

type Place = Home['in'];

type Phrases = Readonly<Record<Place, (settings: readonly Setting[]) => string>>;

const cutNames: Readonly<
  Record<Cut, { readonly [than in 'name' | 'larger' | 'smaller']: string }>
> = {
  batch: { name: 'the batch', larger: 'a larger batch', smaller: 'a smaller batch' },
  sequenceLength: {
    name: 'the length of sequences',
    larger: 'longer sequences',
    smaller: 'shorter sequences',
  },
};

/** The words for options that stand at these places. */
function wordsBy(homesOf: Homes): Words {
  const placeOf = ({ option }: Setting): Place => homesOf[option].in;

  const labelOf = ({ option }: Setting): string => {
    const home = homesOf[option];
    return home.in === 'commandLine' ? flags[option].slice(2) : home.label;
  };

  /** Settings with their values, as the place shows these. */
  const listed = (settings: readonly Setting[]): string =>
    enumerated(
      settings.map(setting => {
        const { option, to } = setting;
        // The editor has a switch where the command line has names.
        if (option === 'precision')
          return `${labelOf(setting)} to ${to === 'mixed' ? 'on' : 'off'}`;
        return to === undefined ? labelOf(setting) : `${labelOf(setting)} to ${to}`;
      }),
      'and',
    );

  const chosen = ({ to, ...setting }: Setting): string =>
    to === undefined ? labelOf(setting) : `${labelOf(setting)} ${to}`;

  const optionsNamed = (settings: readonly Setting[]): string =>
    `${settings.length === 1 ? 'the option' : 'the options'} ${enumerated(settings.map(labelOf), 'and')}`;

  const lines = (settings: readonly Setting[]): string =>
    enumerated(
      settings.map(setting => `${labelOf(setting)}…`),
      'and',
    );

  /** How options are set that stand in one place. */
  const setIn: Phrases = {
    more: settings => `under More…, set ${listed(settings)}`,
    plan: settings => `set ${listed(settings)} in the plan`,
    settings: settings => `set ${listed(settings)}`,
    wizard: settings => `choose ${enumerated(settings.map(chosen), 'and')}`,
    commandLine: settings => `give ${optionsNamed(settings)} on the command line`,
  };

  /** Where options are set; the wizard asks without being told to. */
  const standIn: Phrases = {
    more: settings => `${lines(settings)} under More…`,
    plan: settings => `${lines(settings)} in the plan`,
    settings: settings => enumerated(settings.map(labelOf), 'and'),
    wizard: () => '',
    commandLine: settings => `${optionsNamed(settings)} on the command line`,
  };

  /** The settings of each place, in words. */
  const byPlace = (settings: readonly Setting[], phrases: Phrases): string[] =>
    [...new Set(settings.map(placeOf))]
      .map(place => phrases[place](settings.filter(setting => placeOf(setting) === place)))
      .filter(words => words !== '');

  return {
    set: ({ settings }) => byPlace(settings, setIn).join(', and '),
    leaveOut: ({ option }) => {
      const home = homesOf[option];
      const label = labelOf({ option });
      if (home.in === 'commandLine') return `leave the option ${label} out`;
      return home.isSwitch ? `under More…, set ${label} to off` : `leave ${label} as it is`;
    },
    by: ({ settings }) => {
      const said = byPlace(settings, standIn);
      return said.length === 0 ? '' : ` (${said.join(', ')})`;
    },
    lower: ({ cuts }) =>
      `lower ${enumerated(
        cuts.map(cut => cutNames[cut].name),
        'or',
      )}`,
    other: ({ cut, than }) => cutNames[cut][than],
    shorten: ({ to }) => `use sequences of at most ${to} tokens (Sequence Length… in the plan)`,
    install: () => 'run the command LiGO: Set Up GPU Engine',
    resume: ({ engine }) =>
      engine === undefined ? 'resume the run' : `set ligo.engine to ${engine} and resume the run`,
    repeat: () => 'start the run again',
    startAnew: () => 'start the run anew',
    compareAnew: () => 'compare anew',
    chooseOutput: () => 'choose another output folder',
    chooseFile: () => 'choose another file',
    attendJob: () => 'wait for it, or cancel it',
  };
}

/** What to do in the words of the editor: its plans, its settings, its commands. */
export const editor: Words = wordsBy(homes);

/** The same of a training, whose plan has other lines. */
export const editorOfTraining: Words = wordsBy(trainingHomes);

/** And of a project for PyTorch. */
export const editorOfHandoff: Words = wordsBy(handoffHomes);
