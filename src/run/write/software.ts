import manifest from '../../../package.json';

/** Name and version of this software, for receipts and reports. */
export const software = { name: manifest.name, version: manifest.version };
