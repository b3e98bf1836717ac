import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensureModels, listModels } from '../../../../src/actions/models/models.ts'
import type { Context } from '../../../../src/common/context.ts'
import { createLogger } from '../../../../src/common/logger.ts'
import type { ModelStore } from '../../../../src/models/store.ts'
import { storeFolder } from '../../../helpers/model-files.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'
import { tinyDetector, tinyManifest } from '../../../helpers/tiny-model.ts'

delete process.env.CPN_MODEL_MIRROR

function context(answer: boolean): Context & { questions: string[] } {
  const questions: string[] = []
  const confirm = async (question: string) => {
    questions.push(question)
    return answer
  }
  const prompter = { interactive: true, confirm, secret: async () => '' }
  return { questions, prompter, signal: new AbortController().signal, logger: createLogger(), notice: () => {} }
}

async function addTiny(folder: string, store: ModelStore): Promise<void> {
  await writeFile(join(folder, 'tiny.onnx'), tinyDetector())
  await store.add(join(folder, 'tiny.onnx'), { manifest: tinyManifest() })
}

test('models that are here are given without a question', async () => {
  await using place = await storeFolder()
  await addTiny(place.folder, place.store)
  const ctx = context(false)
  const [model] = await ensureModels(place.store, ['tiny-squares'], ctx)
  assert.equal(model?.manifest.name, 'tiny-squares')
  assert.deepEqual(ctx.questions, [])
})

test('models that come with cpn are given without a question', async () => {
  await using place = await storeFolder()
  const ctx = context(false)
  const models = await ensureModels(place.store, ['lite-detector', 'lite-embedder'], ctx)
  assert.deepEqual(
    models.map(({ manifest }) => manifest.name),
    ['lite-detector', 'lite-embedder'],
  )
  assert.deepEqual(ctx.questions, [])
})

test('a no to the question pulls nothing and says what to run', async () => {
  await using place = await storeFolder()
  const ensured = ensureModels(place.store, ['yunet-2023mar'], context(false))
  await assert.rejects(ensured, {
    code: 'CPN_ERR_DECLINED',
    suggestions: ['Run `cpn models pull yunet-2023mar` when you want to.'],
  })
  assert.deepEqual(await place.store.list(), [])
})

test('an unknown name asks and pulls nothing', async () => {
  await using place = await storeFolder()
  const ctx = context(true)
  await assert.rejects(ensureModels(place.store, ['yunet-2023mar', 'nope'], ctx), { code: 'CPN_ERR_MODEL_UNKNOWN' })
  assert.deepEqual(ctx.questions, [])
})

test('what is missing is asked for once, pulled once, and given in the order of the names', {
  skip: sharedMissing,
}, async (t) => {
  await using place = await storeFolder()
  t.after(() => delete process.env.CPN_MODEL_MIRROR)
  process.env.CPN_MODEL_MIRROR = shared('models')
  await addTiny(place.folder, place.store)
  const ctx = context(true)
  const names = ['mobilefacenet-112', 'tiny-squares', 'yunet-2023mar', 'mobilefacenet-112@1']
  const models = await ensureModels(place.store, names, ctx)
  assert.deepEqual(
    models.map(({ manifest }) => manifest.name),
    ['mobilefacenet-112', 'tiny-squares', 'yunet-2023mar', 'mobilefacenet-112'],
  )
  assert.equal(ctx.questions.length, 1)
  assert.match(ctx.questions[0]!, /mobilefacenet-112 {2}3.8 MiB {2}licence: Apache-2.0 by inference/)
  assert.match(ctx.questions[0]!, /these 2 models/)
})

test('a model whose bytes have changed is not used', async () => {
  await using place = await storeFolder()
  await addTiny(place.folder, place.store)
  await writeFile((await place.store.find('tiny-squares'))!.path, Buffer.alloc(tinyDetector().length))
  await assert.rejects(ensureModels(place.store, ['tiny-squares'], context(true)), { code: 'CPN_ERR_MODEL_DOWNLOAD' })
})

test('the list has the catalogue first, then models of your own', async () => {
  await using place = await storeFolder()
  await addTiny(place.folder, place.store)
  const models = await listModels(place.store)
  assert.deepEqual([models[0]?.name, models[0]?.installed], ['yunet-s-dynamic', false])
  assert.deepEqual([models.at(-1)?.name, models.at(-1)?.installed], ['tiny-squares', true])
})
