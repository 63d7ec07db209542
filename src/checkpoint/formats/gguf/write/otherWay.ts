/** What helps where no GGUF file can be written here. */
export const otherWay =
  'Convert it to safetensors, and that with convert_hf_to_gguf.py of llama.cpp.';
