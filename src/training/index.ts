export * from './objective';
export * from './optimizer';
export * from './programs';
export * from './schedule';
