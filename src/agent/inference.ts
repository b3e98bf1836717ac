import { InferenceSession, Tensor } from 'onnxruntime-node'
import { CpnError } from '../common/errors.ts'
import type { ModelSignature, TensorInfo } from '../protocol/families.ts'
import { withConstantWeights } from './constant-weights.ts'

// The runtime's official builds send usage data to their vendor and leave an identifier in the user's cache folder
// unless this is set before the first session.
process.env.ORT_DISABLE_TELEMETRY = '1'

/** float32 data with its shape. The data belongs to whoever made it; a session keeps none of it. */
export interface FloatTensor {
  data: Float32Array
  dims: number[]
}

/** A loaded model. */
export interface Session {
  readonly signature: ModelSignature
  /** Runs the model on its only input; answers by output name. Blocks the event loop while it runs. */
  run(input: FloatTensor): Promise<Record<string, FloatTensor>>
}

/** Execution providers in the order in which they are tried. */
export const executionProviders = ['cpu']

/**
 * Loads an ONNX model from memory. Throws CPN_ERR_MODEL_INVALID when the runtime refuses it.
 * @param threads threads one operator may use
 */
export async function openSession(model: Uint8Array, threads: number): Promise<Session> {
  try {
    const session = await InferenceSession.create(withConstantWeights(model), {
      executionProviders,
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Warnings about unused initializers would fill the log.
      logSeverityLevel: 3,
    })
    return wrap(session)
  } catch (cause) {
    const { message } = cause as Error
    throw new CpnError('CPN_ERR_MODEL_INVALID', `the model cannot be loaded: ${message}`, { cause })
  }
}

function wrap(session: InferenceSession): Session {
  const inputName = session.inputNames[0] ?? ''
  return {
    signature: { inputs: session.inputMetadata.map(describe), outputs: session.outputMetadata.map(describe) },
    async run({ data, dims }) {
      const outputs = await session.run({ [inputName]: new Tensor('float32', data, dims) })
      return Object.fromEntries(
        Object.entries(outputs).map(([name, { data, dims }]) => [
          name,
          { data: data as Float32Array, dims: [...dims] },
        ]),
      )
    },
  }
}

function describe(value: InferenceSession.ValueMetadata): TensorInfo {
  if (!value.isTensor) return { name: value.name, type: 'no tensor', dims: [] }
  const dims = value.shape.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : null))
  return { name: value.name, type: value.type, dims }
}
