import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../run/support';

/** A module that makes Node see NVIDIA's device files. */
export function withNvidiaDevice(): string {
  const path = join(temporaryFolder(), 'device.mjs');
  writeFileSync(
    path,
    `import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const { existsSync } = fs;
fs.existsSync = path => path === '/dev/nvidiactl' || existsSync(path);
syncBuiltinESMExports();`,
  );
  return path;
}
