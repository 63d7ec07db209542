/** Where tests of native TensorFlow keep their files. */
export declare const tensorFlowFolder: string;

/** The wheel's path, or why there is none. */
export declare function tensorFlowWheel():
  | { readonly wheel: string; readonly failure?: undefined }
  | { readonly failure: string; readonly wheel?: undefined };
