import { add, constant, mul, type Tensor } from '../../graph';
import type { Architecture, ForwardInputs, ModelConfig } from '../architecture';
import { activation } from '../blocks/activations';
import { bothMasks, causalMask, localMask, paddingMask } from '../blocks/attention';
import { gatedFeedForward, plainFeedForward } from '../blocks/feedForward';
import {
  outputNormLayer,
  parallelLayer,
  postNormLayer,
  preNormLayer,
  runLayers,
  sandwichLayer,
  type Layer,
  type OfLayer,
} from '../blocks/layers';
import { linear } from '../blocks/linear';
import { layerNorm, rmsNorm } from '../blocks/norms';
import { rotary } from '../blocks/positions';
import { ropeOf } from '../blocks/rope';
import {
  defaultedSize,
  dimensionFields,
  epsilonField,
  headSizeOf,
  initializerRange,
  keyValueHeadsOf,
  sizeField,
  textField,
} from '../configFields';
import type { Weights } from '../weights';
import { resizedFields } from './dimensionNames';
import { checkedTarget, equalToWords, missingHead } from './family';
import { isComputed, outputsOf, taskObjective, taskReadout } from './taskHeads';
import { requireUnpadded, selectRows, tokenLookups, wordLookup } from './tokens';
import {
  dimensionNames,
  headClassOf,
  llamaNames,
  usualNorm,
  type Decoder,
  type Variant,
} from './decoder';
import { byKind, layerList, withLayerLists } from './decoderLayers';
import {
  declareParameters,
  layerModules,
  maskedParameters,
  spaceSizesOf,
  wordsIn,
  wordsOut,
} from './decoderParameters';

const layerPlaced: Readonly<Record<Architecture['normPlacement'], Layer>> = {
  pre: preNormLayer,
  post: postNormLayer,
  sandwich: sandwichLayer,
  output: outputNormLayer,
};

/** What the layers read: words, as hidden units, and positions where a table has them. */
function embedded(
  weights: Weights,
  inputs: ForwardInputs,
  {
    positions,
    scale,
    firstRow,
    projects,
  }: {
    readonly positions: number;
    readonly scale: number;
    /** Of the position table. */
    readonly firstRow?: number;
    readonly projects: boolean;
  },
): Tensor {
  const words = wordLookup(inputs, positions);
  if (firstRow === undefined) {
    const found = weights.embedding(words);
    return scale === 1 ? found : mul(found, scale);
  }
  if (!projects) return weights.embedding(tokenLookups(inputs, positions, firstRow));
  const { batchSize, sequenceLength } = inputs;
  const rows =
    inputs.positionIds ??
    constant(
      Int32Array.from(
        { length: batchSize * sequenceLength },
        (_, token) => firstRow + (token % sequenceLength),
      ),
    );
  return add(
    linear(weights, wordsIn, weights.embedding(words)),
    weights.embedding([{ table: 'embeddings.position.weight', rows }]),
  );
}

export function buildModel(decoder: Decoder, config: ModelConfig, variant: Variant): Architecture {
  const { defaults, normsHeads, gated = true, norm: normOf = usualNorm } = decoder;
  const { layerLists = {}, names = llamaNames, wordProjections, positionsFrom = 0 } = decoder;
  const { sharesKeys = true, headsDivide = false } = decoder;
  const namesHeadSize = sharesKeys && !headsDivide;
  const normPlacement = decoder.normPlacement?.(config) ?? 'pre';
  const finalNorm = decoder.hasFinalNorm?.(config) ?? true;
  const { task, head, modelClass } = variant;
  const dimensions = dimensionFields(config, dimensionNames(decoder), defaults);
  const vocabularySize = defaultedSize(config, 'vocab_size', defaults.vocabularySize);
  const positions = defaultedSize(config, 'max_position_embeddings', defaults.positions);
  const epsilon =
    normOf.field === undefined
      ? normOf.epsilon
      : epsilonField(config, normOf.field, normOf.epsilon);
  const normBias = decoder.normBias?.(config) ?? normOf.kind === 'LayerNorm';
  const norm = normOf.kind === 'LayerNorm' ? layerNorm(epsilon, normBias) : rmsNorm(epsilon);
  const named = activation(
    decoder.activation?.(config) ?? textField(config, 'hidden_act', defaults.activation ?? 'silu'),
  );
  const feedForward = gated ? gatedFeedForward(named) : plainFeedForward(named);
  const layer = decoder.parallel?.(config) ? parallelLayer : layerPlaced[normPlacement];
  const { numHiddenLayers } = dimensions;
  const lists = Object.entries(layerLists).map(
    ([field, otherwise]) => [field, layerList(config, field, numHiddenLayers, otherwise)] as const,
  );
  const layerEntries = Array.from({ length: numHiddenLayers }, (_, index) =>
    Object.fromEntries(lists.map(([field, list]) => [field, list[index]])),
  );
  const layerTypes = layerEntries.map(entries => Object.values(entries).join(' '));
  const kindOf = byKind(layerTypes, index => {
    const { window, rope = config } = decoder.layerKind?.(config, layerEntries[index]!) ?? {};
    if (rope === 'none' || names.positions !== undefined) return { window };
    const positionsOf = ropeOf(decoder.ropeFields?.(rope) ?? rope, {
      headSize: headSizeOf(dimensions),
      positions,
      turnsParts: decoder.turnsParts ?? false,
      ...(defaults.ropeTheta !== undefined && { defaultTheta: defaults.ropeTheta }),
    });
    return { window, positionsOf };
  });
  // What config.json says of each layer is checked before anything is computed.
  layerEntries.forEach((_, index) => kindOf(index));
  const scale = decoder.attentionScale?.(config);
  const softCaps = decoder.softCaps?.(config) ?? {};
  const embeddingScale = decoder.wordScale?.(config, dimensions.hiddenSize) ?? 1;
  const branchScale = decoder.branchScale?.(config) ?? 1;
  const scoreScale = decoder.scoreScale?.(config) ?? 1;
  const length =
    wordProjections &&
    sizeField(config, wordProjections.field, { fallback: dimensions.hiddenSize });
  const wordSize = length === dimensions.hiddenSize ? undefined : length;
  const spaceSizes = spaceSizesOf(dimensions, {
    vocabularySize,
    classes: task && outputsOf(task, config),
    tableOfPositions: names.positions === undefined ? undefined : positions + positionsFrom,
    wordSize,
  });
  const { wordNorm, maskedHead } = decoder;
  const masked = maskedHead && head !== 'none' ? maskedHead.settings(config) : undefined;
  if (masked && head === 'untied') spaceSizes.set('head', dimensions.hiddenSize);
  const pad = config['pad_token_id'] === undefined ? defaults.padding : config['pad_token_id'];
  const padding = typeof pad === 'number' ? pad : undefined;
  const draws = decoder.draws?.(config, numHiddenLayers);
  const modules = layerModules(
    decoder,
    dimensions,
    { normPlacement, normBias, draws },
    decoder.biases?.(config) ?? {},
  );
  return {
    family: decoder.modelType,
    modelClass,
    ...((task && taskObjective(task, config)) ?? {
      objective: maskedHead ? 'masked-language-modeling' : 'causal-language-modeling',
      head,
    }),
    config,
    accepts: { kind: 'tokens', vocabularySize, longestSequence: positions },
    leadingTokens: maskedHead ? 1 : 0,
    dimensions,
    ...(namesHeadSize && { namesHeadSize }),
    normPlacement,
    normKind: normOf.kind,
    ...(embeddingScale !== 1 && { embeddingScale }),
    ...(new Set(layerTypes).size > 1 && { layerTypes }),
    initializerRange: initializerRange(config, defaults.initializerRange, decoder.rangeField),
    spaceSizes,
    parameters: declareParameters(decoder, spaceSizes, variant, dimensions, {
      modules,
      padding,
      finalNorm,
      normBias,
      draws,
      masked: masked ? maskedParameters(decoder, spaceSizes, config, { normBias, draws }) : [],
    }),
    forward(weights, inputs) {
      if (head === 'none' && !isComputed(task)) {
        throw missingHead(modelClass, headClassOf(decoder));
      }
      requireUnpadded(inputs);
      const { batchSize, sequenceLength, attentionMask } = inputs;
      const padding = attentionMask && paddingMask(attentionMask);
      const words = embedded(weights, inputs, {
        positions,
        scale: embeddingScale,
        ...(names.positions !== undefined && { firstRow: positionsFrom }),
        projects: wordSize !== undefined,
      });
      const input = wordNorm === undefined ? words : norm(weights, 'embeddings.norm', words);
      const maskOf = (length: number): OfLayer<Tensor | undefined> =>
        byKind(layerTypes, index => {
          const { window } = kindOf(index);
          const mask = maskedHead ? localMask(length, window) : causalMask(length, window);
          if (!padding || !mask) return mask ?? padding;
          return window === undefined ? add(mask, padding) : bothMasks(mask, padding);
        });
      const turnOf = byKind(layerTypes, index => {
        const { positionsOf } = kindOf(index);
        return positionsOf && rotary(positionsOf(sequenceLength), { batchSize, sequenceLength });
      });
      const states = runLayers(layer, weights, input, {
        batchSize,
        sequenceLength,
        numHiddenLayers,
        numAttentionHeads: dimensions.numAttentionHeads,
        numKeyValueHeads: keyValueHeadsOf(dimensions),
        norm,
        ...(normsHeads && { normsHeads }),
        ...(wordNorm !== undefined && { firstReadsInput: true }),
        ...(scale !== undefined && { scale }),
        ...(softCaps.attention !== undefined && { softCap: softCaps.attention }),
        ...(branchScale !== 1 && { branchScale }),
        feedForward,
        rotate: selections => byKind(layerTypes, index => turnOf(index)?.(selections)),
        mask: maskOf,
        ...(inputs.partial && { partial: inputs.partial }),
      });
      const last = states.at(-1)!;
      const table = head === 'tied' ? 'embeddings.word.weight' : 'head.decoder.weight';
      const finished = (x: Tensor): Tensor => {
        const normalised = finalNorm ? norm(weights, 'final.norm', x) : x;
        return wordSize === undefined ? normalised : linear(weights, wordsOut, normalised);
      };
      return {
        hiddenStates: [...states.slice(0, -1), finished(last)],
        readout(rows) {
          // Rows are chosen before the norm, so that it runs on no more than are read.
          const features = finished(selectRows(last, rows));
          if (isComputed(task)) return taskReadout(weights, task, features);
          if (maskedHead && masked) {
            const dense = activation(masked.activation)(
              linear(weights, 'head.transform', features),
            );
            const bias = masked.scoreBias ? 'head.decoder.bias' : undefined;
            return weights.readout(norm(weights, 'head.norm', dense), table, bias);
          }
          const scaled = scoreScale === 1 ? features : mul(features, scoreScale);
          const readout = weights.readout(scaled, table, undefined);
          return softCaps.head === undefined ? readout : { ...readout, softCap: softCaps.head };
        },
      };
    },
    resized: target => {
      if (wordProjections && wordSize === target.hiddenSize) {
        throw equalToWords(wordProjections.field, wordSize);
      }
      // Words as long as the hidden size stay so.
      const words = wordProjections && wordSize === undefined && config[wordProjections.field];
      const listed = withLayerLists(decoder, config, {
        from: numHiddenLayers,
        to: checkedTarget(target).numHiddenLayers,
      });
      const sized = resizedFields(listed, dimensionNames(decoder), target);
      const longer = typeof words === 'number' && { [wordProjections!.field]: target.hiddenSize };
      return buildModel(decoder, { ...sized, ...longer }, variant);
    },
  };
}
