import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { choosePipeline } from '../../../../src/actions/models/choose-pipeline.ts'
import type { PipelineOptions } from '../../../../src/actions/models/resolve-pipeline.ts'
import type { Context } from '../../../../src/common/context.ts'
import { canonicalJson, sha256 } from '../../../../src/common/digest.ts'
import { CpnError } from '../../../../src/common/errors.ts'
import { createLogger } from '../../../../src/common/logger.ts'
import { openState } from '../../../../src/inventory/state.ts'
import { catalogue } from '../../../../src/models/store.ts'
import { modelRefSchema } from '../../../../src/protocol/model.ts'
import { openLedger } from '../../../../src/runs/ledger.ts'
import { tempFolder } from '../../../helpers/temp-folder.ts'

const ctx: Context = {
  prompter: { interactive: true, confirm: async () => false, secret: async () => '' },
  signal: new AbortController().signal,
  logger: createLogger(),
  notice: () => {},
}
const persons: PipelineOptions = {
  pipelineName: 'persons',
  mayBeLite: true,
  embeddings: false,
  annotate: 'none',
  maxPixels: 1e8,
}

test('who declines a download is told of the models that need none, unless a run goes on that has others', async () => {
  using folder = tempFolder()
  const state = await openState(join(folder.path, '.cpn'))
  const run = { paths: ['album'], place: join(folder.path, 'out') }
  const suggestions = async (options: PipelineOptions) => {
    const error = await choosePipeline(state, options, run, ctx).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof CpnError && error.code === 'CPN_ERR_DECLINED', String(error))
    return error.suggestions.join('\n')
  }
  assert.match(await suggestions(persons), /--pipeline persons-lite\n.*cpn models pull/)
  const model = modelRefSchema.parse(catalogue().find(({ name }) => name === 'yunet-s-dynamic'))
  const detector = { model, scoreThreshold: 0.6, nmsThreshold: 0.3 }
  const begun = { kind: 'faces', detector, annotate: 'none', maxPixels: 1e8 } as const
  assert.doesNotMatch(await suggestions({ ...persons, mayBeLite: false, begun }), /--pipeline/)
})

test('persons-lite is kept to where the run that it began would go on, and nowhere else', async () => {
  using folder = tempFolder()
  const state = await openState(join(folder.path, '.cpn'))
  const run = { paths: ['album'], place: join(folder.path, 'out') }
  const { resolved } = await choosePipeline(state, { ...persons, pipelineName: 'persons-lite' }, run, ctx)
  {
    using ledger = openLedger(state.ledgerFile)
    const options = { paths: [resolve('album')], pipelineName: 'persons-lite' }
    ledger.beginRun({ out: run.place, options, pipelineDigest: sha256(canonicalJson(resolved.pipeline)) })
  }
  const { pipelineName, because } = await choosePipeline(state, persons, run, ctx)
  assert.deepEqual([pipelineName, because], ['persons-lite', 'this run began with it'])
  // Another way of annotating is other work, and so are other paths.
  const declined = { code: 'CPN_ERR_DECLINED' }
  await assert.rejects(choosePipeline(state, { ...persons, annotate: 'full' }, run, ctx), declined)
  await assert.rejects(choosePipeline(state, persons, { ...run, paths: ['other'] }, ctx), declined)
})
