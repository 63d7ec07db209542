import type { Space } from '../../architecture';
import type { LayerMap } from './layers';

/** Of what a method that copies makes each unit and each layer of the large model. */
export interface Copies {
  /** The small unit that each unit of a large space repeats, [D2]; −1 for one that is none's copy. */
  readonly units: (space: Space) => Int32Array;
  readonly layers: LayerMap;
  /** In place of `layers` for rows that the small model does not have (bert2BERT). */
  readonly layersOfNewRows?: LayerMap;
  /** In place of `layers` for gradients, where layers that repeat others do not take part at first. */
  readonly layersOfGradients?: LayerMap;
}
