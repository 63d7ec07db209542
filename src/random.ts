export * from './data/random';
