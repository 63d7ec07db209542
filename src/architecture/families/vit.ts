import { visionFamily, vitSettings } from './visionTransformer';

/** ViT: pre-norm encoder over image patches with a class token. */
export const vit = visionFamily({
  modelType: 'vit',
  className: /^ViT(Model|For)/,
  prefix: 'vit.',
  signature: /^(vit\.)?embeddings\.cls_token$/,
  settings: vitSettings([{ id: 'embeddings.cls.weight', tensor: 'embeddings.cls_token' }]),
  encoderClass: 'ViTModel',
  classifierClasses: [
    {
      modelClass: 'ViTForImageClassification',
      classifiers: [{ id: 'head.classifier', name: 'classifier' }],
    },
  ],
});
