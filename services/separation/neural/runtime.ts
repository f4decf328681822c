/**
 * The part of ONNX Runtime's interface that this project uses, and its loading. The runtime is no dependency: it is installed with a model
 * (`mashup models install`), or named by a setting.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ModelError } from './errors.ts';

/** Values of one input or output. */
export interface RuntimeTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** Type and shape of an input or output. Dimensions without a fixed size are names. */
export interface ValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** A graph that is ready to run. `run` blocks the thread. */
export interface RuntimeSession {
  readonly inputMetadata: readonly ValueMetadata[];
  readonly outputMetadata: readonly ValueMetadata[];
  run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>>;
  release(): Promise<void>;
}

export interface Runtime {
  readonly InferenceSession: {
    create(path: string, options: Record<string, unknown>): Promise<RuntimeSession>;
  };
  /** Providers that this build knows; that one can be loaded is not certain. */
  listSupportedBackends(): { name: string }[];
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => RuntimeTensor;
}

const PACKAGE = 'onnxruntime-node';

/**
 * Loads ONNX Runtime.
 * @param folder the folder whose `node_modules` has it
 * @throws ModelError `model_runtime_missing` if it is not installed there, or cannot be loaded on this machine
 */
export function loadRuntime(folder: string): Runtime {
  try {
    return createRequire(join(folder, 'package.json'))(PACKAGE) as Runtime;
  } catch (cause) {
    throw new ModelError('model_runtime_missing', 'ONNX Runtime, which runs the separation model, cannot be loaded.', {
      hint: 'Run `npx mashup models install runtime`.',
      cause,
    });
  }
}
