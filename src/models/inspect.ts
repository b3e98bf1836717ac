import { readFile } from 'node:fs/promises'
import { sha256 } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import { checkLabels, checkSignature } from '../protocol/families.ts'
import type { ModelManifest } from '../protocol/model.ts'
import { readOnnx } from './onnx.ts'

/** A model file that fits its family. */
export interface Inspected {
  sha256: string
  bytes: number
}

/**
 * Reads a model file and refuses it with CPN_ERR_MODEL_INVALID when it is no ONNX model, keeps data in other files or
 * does not fit family and labels.
 */
export async function inspectModel(
  file: string,
  { family, labels }: Pick<ModelManifest, 'family' | 'labels'>,
): Promise<Inspected> {
  const bytes = await readFile(file)
  const model = readOnnx(bytes)
  if (model.externalData) {
    throw new CpnError('CPN_ERR_MODEL_INVALID', 'the model keeps tensors in other files, which could be any file', {
      suggestions: ['Save the model as one file (in Python: onnx.save_model(…, save_as_external_data=False)).'],
    })
  }
  checkSignature(family, model)
  checkLabels(family, model, labels)
  return { sha256: sha256(bytes), bytes: bytes.length }
}
