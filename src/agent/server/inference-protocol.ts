import { version } from '../../common/version.ts'
import { familySignatures } from '../../protocol/families.ts'
import type { ModelRef } from '../../protocol/model.ts'
import { Refusal } from './refusal.ts'
import type { Exchange, Routes } from './router.ts'

export interface InferenceParts {
  models: () => ModelRef[]
  ready: () => boolean
}

/** Health and metadata of the Open Inference Protocol, version 2. */
export function inferenceProtocolRoutes({ models, ready }: InferenceParts): Routes {
  const metadata = ({ params }: Exchange) => modelMetadata(findModels(models(), params))
  const modelReady = ({ params }: Exchange) => {
    findModels(models(), params)
    return requireReady(ready())
  }
  return {
    'GET /v2': () => ({ name: 'cpn-agent', version, extensions: [] }),
    'GET /v2/health/live': () => ({ live: true }),
    'GET /v2/health/ready': () => requireReady(ready()),
    'GET /v2/models/:model': metadata,
    'GET /v2/models/:model/versions/:version': metadata,
    'GET /v2/models/:model/ready': modelReady,
    'GET /v2/models/:model/versions/:version/ready': modelReady,
  }
}

function requireReady(ready: boolean): object {
  if (ready) return { ready }
  throw new Refusal(503, 'CPN_ERR_AGENT_UNREACHABLE', 'no worker is ready for jobs', {
    retryable: true,
    suggestions: ['Ask again; when it stays so, look at `cpn logs`.'],
  })
}

/** All versions of a model, or the one that is asked for. */
function findModels(models: ModelRef[], { model, version }: Record<string, string>): [ModelRef, ...ModelRef[]] {
  const [first, ...rest] = models.filter((one) => one.name === model && (!version || one.version === version))
  if (first) return [first, ...rest]
  throw new Refusal(
    404,
    'CPN_ERR_MODEL_UNKNOWN',
    `no model ${[model, version].filter(Boolean).join(' ')} on this node`,
    {
      suggestions: ['Provision the host again, naming the models it should have.'],
    },
  )
}

function modelMetadata(versions: [ModelRef, ...ModelRef[]]): object {
  const { name, family } = versions[0]
  const { inputs, outputs } = familySignatures[family]
  const tensor = ({ name, type, dims }: (typeof inputs)[number], i: number, kind: string) => ({
    name: name ?? `${kind}${i}`,
    datatype: datatypes[type] ?? type.toUpperCase(),
    shape: dims.map((dim) => dim ?? -1),
  })
  return {
    name,
    versions: versions.map(({ version }) => version),
    platform: 'onnxruntime_onnx',
    inputs: inputs.map((input, i) => tensor(input, i, 'input')),
    outputs: outputs.map((output, i) => tensor(output, i, 'output')),
  }
}

const datatypes: Record<string, string> = { float32: 'FP32', float16: 'FP16', uint8: 'UINT8', int64: 'INT64' }
