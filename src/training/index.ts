export * from './objective';
export * from './optimizer';
export * from './programs';
export * from './schedule';
export * from './evaluate';
export * from './loop';
