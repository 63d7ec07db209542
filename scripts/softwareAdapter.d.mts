/** Environment in which WebGPU finds the Vulkan adapter in software; undefined where there is none. */
export function softwareAdapter(): Record<string, string> | undefined;
