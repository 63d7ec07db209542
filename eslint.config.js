import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** The rooms of the house in the order data flows; a room may import only rooms listed before it. */
const rooms = [
  'harmless.ts',
  'remedy',
  'errors.ts',
  'files.ts',
  'finite.ts',
  'format.ts',
  'random.ts',
  'programs.ts',
  'protocol',
  'report',
  'handoff',
  'slurm',
  'graph',
  'engine',
  'checkpoint',
  'hub',
  'architecture',
  'growth',
  'data',
  'training',
  'run',
  'inspect',
  'selfTest',
  'cli',
  'worker',
  'host',
  'extension.ts',
];

/** Rooms inside of a room, in the same order. */
const innerRooms = {
  run: [
    'settings.ts',
    'context.ts',
    'open',
    'write',
    'stop',
    'convert',
    'plan',
    'score',
    'grow',
    'train',
    'compare',
    'handoff',
    'questions',
  ],
  host: [
    'forEachSome.ts',
    'lifetime.ts',
    'text.ts',
    'settings.ts',
    'telemetry.ts',
    'serviceClient.ts',
    'failures.ts',
    'trust.ts',
    'walkthrough.ts',
    'runs',
    'checkpoints',
    'pages',
    'wizard',
    'commands',
  ],
};

/** For each room of a list, the later ones as forbidden imports. */
const inOrder = (list, folder) =>
  list.flatMap((room, index) =>
    list.slice(index + 1).map(later => ({
      target: `${folder}/${room}`,
      from: `${folder}/${later}`,
      message: `${room} comes before ${later} in the house (CONTRIBUTING.md, "Rooms").`,
    })),
  );

const zones = [
  ...inOrder(rooms, './src'),
  ...Object.entries(innerRooms).flatMap(([room, inner]) => inOrder(inner, `./src/${room}`)),
];

/** Rooms that are earlier in the list but still none of each other's business. */
const strangers = [
  { target: './src/growth', from: ['./src/engine', './src/checkpoint'] },
  { target: './src/architecture', from: ['./src/engine', './src/checkpoint'] },
  { target: './src/checkpoint', from: ['./src/graph', './src/engine'] },
  { target: './src/hub', from: ['./src/graph', './src/engine'] },
  // What computes does not know the network: whoever names a model on the Hub fetches it first.
  ...['architecture', 'growth', 'data', 'training', 'run', 'inspect', 'selfTest'].map(room => ({
    target: `./src/${room}`,
    from: './src/hub',
  })),
  {
    target: './src/data',
    from: ['./src/graph', './src/engine', './src/architecture', './src/growth'],
  },
  { target: './src/worker', from: './src/cli' },
  {
    target: './src/report',
    from: rooms.slice(rooms.indexOf('graph')).map(room => `./src/${room}`),
  },
  {
    target: './src/handoff',
    from: rooms.slice(rooms.indexOf('graph')).map(room => `./src/${room}`),
  },
  {
    target: './webview',
    from: rooms
      .filter(room => !['harmless.ts', 'format.ts', 'protocol'].includes(room))
      .map(room => `./src/${room}`),
  },
  { target: './webview', from: './src/protocol/*Schemas.ts' },
  {
    target: './src/host',
    from: rooms.slice(rooms.indexOf('graph'), -2).map(room => `./src/${room}`),
  },
].map(zone => ({
  ...zone,
  message: 'These rooms do not know each other (CONTRIBUTING.md, "Rooms").',
}));

export default tseslint.config(
  { ignores: ['dist', 'out', 'node_modules', 'examples', 'test/fixtures'] },
  ...tseslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map(config => ({
    ...config,
    files: ['src/**/*.ts', 'webview/**/*.ts'],
  })),
  {
    files: ['src/**/*.ts', 'webview/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ObjectExpression > SpreadElement > ObjectExpression',
          message: 'Write the properties themselves: spread, unknown ones are not checked.',
        },
      ],
      // Numbers are written as they are; what people read is formatted on purpose.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // Elements of typed arrays and of lists of a known length are there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Functions of object literals here use no `this`.
      '@typescript-eslint/unbound-method': 'off',
      // An engine's methods are asynchronous, also where a backend answers at once.
      '@typescript-eslint/require-await': 'off',
      // Who listens to steps may answer nothing.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // TypeScript does not see what happens to a variable while something is awaited.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // What arrives in a page is named by whoever opens the line.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Names and values of enumerations and errors are compared by what they are made of.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['**/*.ts'],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true } },
    settings: {
      'import-x/resolver-next': [
        importX.createNodeResolver({ extensions: ['.ts', '.js', '.json'] }),
      ],
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': ['error', { zones: [...zones, ...strangers] }],
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/host/**', 'src/extension.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [{ name: 'vscode', message: 'Only src/host and src/extension.ts know VS Code.' }],
        },
      ],
    },
  },
  {
    files: ['src/protocol/**/*.ts'],
    ignores: ['src/protocol/*Schemas.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['./*Schemas', 'zod', 'zod/*'],
              allowTypeImports: true,
              message: 'Pages import the others: checks would come into their bundles.',
            },
          ],
        },
      ],
    },
  },
  { files: ['test/bench/**'], rules: { 'no-console': 'off' } },
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
);
