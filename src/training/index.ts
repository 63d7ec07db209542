export * from './objective';
export * from './optimizer';
export * from './programs';
export * from './partial';
export { middleLayers, rowsPerSequence, type PartialShape } from './selections';
export * from './schedule';
export * from './accumulate';
export * from './evaluate';
export * from './loop';
