import { UsageError } from '../errors';
import type { SlurmSettings } from './job';

/** What sbatch takes for each text, and an example. Nothing else comes into a script's head. */
const forms = {
  partition: [/^[\w.-]+(,[\w.-]+)*$/, 'gpu'],
  account: [/^[\w.@-]+$/, 'my-project'],
  gpus: [/^([\w.-]+:)?[1-9]\d*$/, '1 or a100:1'],
  time: [/^(\d+(:\d{1,2}){0,2}|\d+-\d{1,2}(:\d{1,2}){0,2})$/, '30, 2:00:00 or 1-12'],
  mem: [/^[1-9]\d*[KMGT]?$/i, '16G'],
} as const;

const moduleName = /^[\w.+][\w.+/-]*$/;

type TextSetting = keyof typeof forms;

/** The value of a setting, if it is of sbatch's form. @throws UsageError that calls it `name` */
export function slurmText(setting: TextSetting, name: string, text: string): string {
  const [form, example] = forms[setting];
  if (form.test(text)) return text;
  throw new UsageError(
    `${name} is ${JSON.stringify(text)}, which sbatch does not take.`,
    `Give ${name} a value such as ${example}.`,
  );
}

/** Names of modules. @throws UsageError that calls the setting `name` */
export function moduleNames(name: string, texts: readonly string[]): readonly string[] {
  const wrong = texts.find(text => !moduleName.test(text));
  if (wrong === undefined) return texts;
  throw new UsageError(
    `${name} has ${JSON.stringify(wrong)}, which is no name of a module.`,
    `Give ${name} names as \`module avail\` shows them.`,
  );
}

/** The settings as options of sbatch. */
export function sbatchOptions(settings: SlurmSettings): string[] {
  const { partition, account, gpus, time, cpusPerTask, mem } = settings;
  const options = { partition, account, gpus, time, 'cpus-per-task': cpusPerTask, mem };
  return Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
}
