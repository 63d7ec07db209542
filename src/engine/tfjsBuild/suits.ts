import { UnsupportedError } from '../../errors';
import type { OptionalEngine } from '../../protocol/engines';
import type { TensorFlow } from './tensorFlow';

/** What decides whether a library made elsewhere can be loaded here. */
export interface BuildSystem {
  readonly platform: NodeJS.Platform;
  /** As Node says it: x64, arm64. */
  readonly architecture: string;
  /** The version of glibc on Linux; absent on systems with another C library, such as Alpine. */
  readonly glibc?: string;
}

/** Minor versions of TensorFlow 2 that the addon is made for, the oldest and the newest one. */
const oldest = 9;
const newest = 21;

/**
 * Whether TensorFlow.js's addon is made for a version; tells a version that is newer than all known
 * ones. Throws UnsupportedError for those it cannot be built with.
 * @returns one line to tell, where the version is newer than those that are known
 */
export function checkVersion(version: string): string | undefined {
  const [major, minor] = version.split('.').map(Number);
  if (major === 2 && minor !== undefined && minor > newest) {
    return `TensorFlow ${version} is newer than those that are known to suit (2.${oldest} to 2.${newest}); the self test decides.`;
  }
  if (major === 2 && minor !== undefined && minor >= oldest) return undefined;
  throw new UnsupportedError(
    `TensorFlow.js cannot be built with TensorFlow ${version}: it takes 2.${oldest} to 2.${newest}.`,
    `Give a wheel of TensorFlow 2.${newest} (pip download tensorflow-cpu==2.${newest}.0 fetches it).`,
  );
}

/** Names of a processor in tags of wheels. */
const machines: Readonly<Record<string, readonly string[]>> = {
  x64: ['x86_64', 'amd64', 'universal2'],
  arm64: ['aarch64', 'arm64', 'universal2'],
};

/** Checks a wheel's platform tags against a system. Throws UnsupportedError with what is different. */
export function requirePlatform(
  { name, platforms }: Pick<TensorFlow, 'name' | 'platforms'>,
  system: BuildSystem,
): void {
  if (system.platform === 'linux' && system.glibc === undefined) {
    throw new UnsupportedError(
      'TensorFlow is built for glibc, and the C library of this system is another one.',
      'Use a system with glibc (Debian, Ubuntu, Fedora), or another engine.',
    );
  }
  if (platforms === undefined) return;
  const reasons = platforms.map(tag => tagRefusal(tag, system));
  if (reasons.includes(undefined)) return;
  throw new UnsupportedError(
    `${name} is not for this machine: ${reasons[0] ?? 'it names no platform'}.`,
    `Give a wheel for ${system.platform} ${system.architecture}: pip download tensorflow-cpu on this machine fetches the right one.`,
  );
}

/** Why a platform tag does not suit; undefined where it does. */
function tagRefusal(
  tag: string,
  { platform, architecture, glibc }: BuildSystem,
): string | undefined {
  const [, os, machine] =
    /^(manylinux[12][0-9]*|manylinux(?:_\d+){2}|musllinux(?:_\d+){2}|linux|macosx(?:_\d+){2}|win)_(\w+)$/.exec(
      tag,
    ) ?? [];
  const systems: readonly (readonly [RegExp, NodeJS.Platform])[] = [
    [/^(manylinux|linux)/, 'linux'],
    [/^macosx/, 'darwin'],
    [/^win/, 'win32'],
  ];
  const made = systems.find(([pattern]) => os !== undefined && pattern.test(os))?.[1];
  if (made !== platform || machine === undefined) return `it was made for ${tag}`;
  if (!machines[architecture]?.includes(machine)) {
    return `it was made for ${machine}, and this is ${architecture}`;
  }
  const least = glibcOf(os!);
  return least !== undefined && glibc !== undefined && isOlder(glibc, least)
    ? `it needs glibc ${least}, and this system has ${glibc}`
    : undefined;
}

/** The glibc that a tag asks for: 2.27 of manylinux_2_27, 2.17 of manylinux2014. */
function glibcOf(os: string): string | undefined {
  const old: Readonly<Record<string, string>> = {
    manylinux1: '2.5',
    manylinux2010: '2.12',
    manylinux2014: '2.17',
  };
  return old[os] ?? /^manylinux_(\d+)_(\d+)$/.exec(os)?.slice(1).join('.');
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = than.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

/** Whether an engine can run on a TensorFlow at all. Throws UnsupportedError where it has no CUDA. */
export function requireCuda(
  engine: OptionalEngine,
  { name, isForCuda }: Pick<TensorFlow, 'name' | 'isForCuda'>,
): void {
  if (engine !== 'tfjs-gpu' || isForCuda !== false) return;
  throw new UnsupportedError(
    `${name} was built without CUDA, and computes on the CPU only.`,
    'Give a wheel of tensorflow, not tensorflow-cpu, for Linux, or build the engine of the CPU with this one.',
  );
}

/** This machine. */
export function thisSystem(): BuildSystem {
  const { header } = process.report.getReport() as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  const glibc = header.glibcVersionRuntime;
  return {
    platform: process.platform,
    architecture: process.arch,
    ...(glibc !== undefined && { glibc }),
  };
}
