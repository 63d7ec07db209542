export * from './architecture';
export { headSizeOf, keyValueHeadsOf, periodOf } from './configFields';
export { activation } from './blocks/activations';
export * from './blocks/attention';
export { givenSize } from './families/dimensionNames';
export { fieldsNotFollowed, fixedFieldsThatDiffer } from './fixedFields';
export { positionIds, paddingId } from './families/roberta';
export * from './loss';
export { inModuleOrder } from './moduleOrder';
export * from './parameter';
export * from './parameterData';
export * from './blocks/partialLayers';
export * from './plainWeights';
export {
  plainName,
  recognizeArchitecture,
  twinTensors,
  type PlainName,
  type Recognition,
} from './recognize';
export * from './weights';
