export * from './drift';
export * from './grownWeights';
export * from './growParameter';
export * from './initialize';
export * from './operators';
export * from './releasedOperators';
export * from './target';
