/** What people call each method, in lists and legends, receipts and reports. */
export const methodTitles = {
  ligo: 'LiGO',
  'ligo-paper': 'LiGO as released',
  mango: 'Mango',
  stack: 'Stack (StackBERT)',
  interpolate: 'Interpolate',
  mslt: 'Multi-stage layerwise (MSLT)',
  net2net: 'Net2Net (FPI)',
  bert2bert: 'bert2BERT (AKI)',
  copy: 'Direct copy',
  lemon: 'Lossless (LEMON)',
  hypercloning: 'Tiles (HyperCloning)',
  'llama-pro': 'Zero blocks (LLaMA-Pro)',
  random: 'Random (from scratch)',
} as const;

const titles: Readonly<Record<string, string>> = methodTitles;

/** The title of a method; of one that this version does not know, its name. */
export const methodTitle = (name: string): string =>
  Object.hasOwn(titles, name) ? titles[name]! : name;
