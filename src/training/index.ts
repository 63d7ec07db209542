export * from './objective';
export * from './optimizer';
export * from './programs';
export * from './schedule';
export * from './accumulate';
export * from './evaluate';
export * from './loop';
