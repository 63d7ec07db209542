export { formatBytes, formatCount, formatFlops, formatSeconds } from '../format';

/** A share 0…1 as per cent: 32.7 %. */
export const formatShare = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A loss in nats with the digits worth comparing. */
export const formatLoss = (loss: number): string => loss.toFixed(4);
