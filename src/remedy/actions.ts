import type { Action, Cut, Option, Setting } from './remedy';

/** An option, or one with its value. */
export type Named = Option | readonly [option: Option, to: string | number];

const settingOf = (named: Named): Setting =>
  typeof named === 'string' ? { option: named } : { option: named[0], to: named[1] };

export const set = (option: Option, to?: string | number): Action =>
  setAll([to === undefined ? option : [option, to]]);

export const setAll = (options: readonly Named[]): Action => ({
  do: 'set',
  settings: options.map(settingOf),
});

export const leaveOut = (option: Option): Action => ({ do: 'leaveOut', option });

/** Stands right behind the words for what the options decide, and begins with a space. */
export const by = (...options: readonly Named[]): Action => ({
  do: 'by',
  settings: options.map(settingOf),
});

export const lower = (...cuts: readonly Cut[]): Action => ({ do: 'lower', cuts });
export const larger = (cut: Cut): Action => ({ do: 'other', cut, than: 'larger' });
export const smaller = (cut: Cut): Action => ({ do: 'other', cut, than: 'smaller' });

/** @param to tokens */
export const shorten = (to: number): Action => ({ do: 'shorten', to });

export const install = (engine: string): Action => ({ do: 'install', engine });

export const resume = (engine?: string): Action => ({
  do: 'resume',
  ...(engine !== undefined && { engine }),
});

export const repeat: Action = { do: 'repeat' };
export const startAnew: Action = { do: 'startAnew' };
export const compareAnew: Action = { do: 'compareAnew' };
export const chooseOutput: Action = { do: 'chooseOutput' };
export const chooseFile: Action = { do: 'chooseFile' };
export const attendJob: Action = { do: 'attendJob' };
