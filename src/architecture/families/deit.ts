import { visionFamily, vitSettings } from './visionTransformer';

/** DeiT: ViT with a distillation token, which a second classifier may read. */
export const deit = visionFamily({
  modelType: 'deit',
  className: /^DeiT(Model|For)/,
  prefix: 'deit.',
  signature: /^(deit\.)?embeddings\.distillation_token$/,
  settings: vitSettings([
    { id: 'embeddings.cls.weight', tensor: 'embeddings.cls_token' },
    { id: 'embeddings.distillation.weight', tensor: 'embeddings.distillation_token' },
  ]),
  tokensDrawn: { kind: 'zeros' },
  encoderClass: 'DeiTModel',
  classifierClasses: [
    {
      modelClass: 'DeiTForImageClassificationWithTeacher',
      classifiers: [
        { id: 'head.classifier', name: 'cls_classifier' },
        { id: 'head.distillation', name: 'distillation_classifier' },
      ],
    },
    {
      modelClass: 'DeiTForImageClassification',
      classifiers: [{ id: 'head.classifier', name: 'classifier' }],
    },
  ],
});
