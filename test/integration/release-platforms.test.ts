import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { prepareRelease } from '../../src/actions/nodes/release.ts'
import { sha256, sha256File } from '../../src/common/digest.ts'
import { CpnError } from '../../src/common/errors.ts'
import { releaseManifestSchema } from '../../src/protocol/release.ts'
import { machineOf } from '../../src/provision/release/check-contents.ts'
import { agentBundle } from '../helpers/agent-bundle.ts'
import { quietContext } from '../helpers/provisioned.ts'
import { repositoryRoot } from '../helpers/shared.ts'

const cacheDir = join(repositoryRoot, 'node_modules/.cache/cpn-test/cpn')
const native = /(^bin\/node|\.node|\.so(\.[\d.]+)?)$/

test('a release for linux-arm64 is made here, of aarch64 files only, and again without a network', async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'cpn-arm64-'))
  context.after(() => rm(root, { recursive: true, force: true }))
  const options = { platform: 'linux-arm64', cacheDir, bundleDir: await agentBundle() } as const
  const out = join(root, 'release')
  const report = await prepareRelease({ ...options, out }, quietContext()).catch((error: unknown) => {
    if (error instanceof CpnError && error.retryable) return undefined
    throw error
  })
  if (!report) return context.skip('needs the npm registry once')
  const text = await readFile(join(out, 'release.json'), 'utf8')
  assert.equal(sha256(text), report.digest)
  const manifest = releaseManifestSchema.parse(JSON.parse(text))
  assert.deepEqual([manifest.platform, manifest.arch], ['linux', 'arm64'])
  for (const file of manifest.files) {
    const path = join(out, file.path)
    assert.equal(await sha256File(path), file.sha256, file.path)
    assert.equal((await stat(path)).mode & 0o777, file.mode, file.path)
    if (native.test(file.path)) assert.equal(await machineOf(path), 'linux-arm64', file.path)
  }
  const natives = manifest.files.map(({ path }) => path).filter((path) => native.test(path))
  assert.equal(natives.length, 8)
  assert.ok(!manifest.files.some(({ path }) => /x64|darwin|win32/.test(path)))

  const registry = process.env.npm_config_registry
  process.env.npm_config_registry = 'http://127.0.0.1:1/'
  context.after(() => {
    if (registry === undefined) delete process.env.npm_config_registry
    else process.env.npm_config_registry = registry
  })
  assert.equal((await prepareRelease(options, quietContext())).digest, report.digest)
})
