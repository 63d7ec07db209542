/** The builders: one function per operator, each with its shape rule. */
export * from './sources';
export * from './elementwise';
export * from './matrix';
export * from './layout';
export * from './reduction';
export * from './indexing';
export * from './normalization';
