/** Milliseconds after which a test takes something for hung, however busy the machine is. */
export const patience = 600_000;
