import type { Renaming } from './renaming';

/**
 * Names of TensorFlow's classes, as transformers' own conversion reads them (until version 4):
 * `tf_bert_for_masked_lm/bert/encoder/layer_._0/attention/self/query/kernel:0`.
 */
export const tensorFlowNames: Renaming = {
  mark: /_\._\d+\//,
  replaced: [
    [/:\d+$/, ''],
    [/\/[^/]*___([^/]*)(?=\/)/g, '/$1'],
    [/_\._/g, '/'],
    [/\/{2,}/g, '/'],
    [/^[^/]+\/(?=.)/, ''],
    [/\/(?:kernel|embeddings|gamma)$/, '/weight'],
    [/\/beta$/, '/bias'],
    [/\//g, '.'],
  ],
  turned: /\/kernel(?::\d+)?$/,
  vectors: /\/bias(?::\d+)?$/,
};
/** The same in a file of Keras, which puts each below the name of its layer. */
export const kerasFileNames: Renaming = {
  ...tensorFlowNames,
  replaced: [[/^[^/]+\/(?=[^/]+\/)/, ''], ...tensorFlowNames.replaced],
};

/** Names of Flax's classes: `bert/encoder/layer/0/attention/self/query/kernel`. */
export const flaxNames: Renaming = {
  mark: /(?:^|\/)\d+\//,
  replaced: [
    [/^(?:params|batch_stats)\//, ''],
    [/(^|\/)(?:kernel|scale|embedding)$/, '$1weight'],
    [/(^|\/)mean$/, '$1running_mean'],
    [/(^|\/)var$/, '$1running_var'],
    [/\//g, '.'],
  ],
  turned: /(?:^|\/)kernel$/,
};
