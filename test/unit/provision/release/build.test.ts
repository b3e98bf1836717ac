import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { sha256 } from '../../../../src/common/digest.ts'
import { blobAt, buildRelease, releaseBytes } from '../../../../src/provision/release/build.ts'
import { checkContents, machineOf } from '../../../../src/provision/release/check-contents.ts'
import { compressFile } from '../../../../src/provision/release/compress.ts'
import { releaseContents } from '../../../../src/provision/release/contents.ts'
import { pinnedPackages } from '../../../../src/provision/release/pinned-packages.ts'
import { hostPlatform } from '../../../../src/provision/release/platform.ts'
import { repositoryRoot } from '../../../helpers/shared.ts'

const root = await mkdtemp(join(tmpdir(), 'cpn-release-'))
after(() => rm(root, { recursive: true, force: true }))

const bundleDir = join(root, 'bundle')
const cacheDir = join(root, 'cache')
await mkdir(bundleDir)
await writeFile(join(bundleDir, 'agent.mjs'), 'agent')
await writeFile(join(bundleDir, 'worker.mjs'), 'worker')
const platform = hostPlatform()

test('the pinned packages are those of the lockfile', async () => {
  const lock = JSON.parse(await readFile(join(repositoryRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>
  }
  for (const [name, pin] of Object.entries(pinnedPackages)) {
    const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {}
    assert.deepEqual({ version, integrity }, pin, name)
  }
})

test('a release lists every file with its digest and size', async () => {
  const release = await buildRelease(platform, { bundleDir, cacheDir })
  assert.equal(release.digest, sha256(release.manifestJson))
  assert.equal(blobAt(release, 'agent/agent.mjs').sha256, sha256('agent'))
  const runtime = blobAt(release, 'bin/node')
  assert.equal(runtime.bytes, (await stat(runtime.source)).size)
  assert.equal(runtime.mode, 0o555)
  const paths = release.manifest.files.map(({ path }) => path)
  assert.deepEqual(paths, paths.toSorted())
  assert.ok(releaseBytes(release) > runtime.bytes)
})

test('a release holds native files of its own platform only', async () => {
  const contents = await releaseContents(platform, { bundleDir, packagesDir: cacheDir })
  const natives = contents.filter(({ path }) => /\.(node|dylib|dll)$|\.so(\.|$)/.test(path))
  assert.ok(natives.length >= 4)
  for (const { source } of natives) assert.equal(await machineOf(source), platform)
})

test('each font of labels travels once, with its licence', async () => {
  const contents = await releaseContents(platform, { bundleDir, packagesDir: cacheDir })
  const paths = contents.map(({ path }) => path).filter((path) => path.startsWith('fonts/'))
  const fonts = paths.filter((path) => /\.[ot]tf$/.test(path))
  assert.ok(fonts.includes('fonts/DejaVuSans.ttf') && fonts.length > 20)
  assert.equal(new Set(paths).size, paths.length)
  for (const font of fonts) assert.ok(paths.includes(font.replace(/\.[ot]tf$/, '-LICENSE')), font)
  const less = contents.filter(({ path }) => !path.includes('NotoSansThai'))
  await assert.rejects(checkContents(platform, less), /NotoSansThai/)
})

test('building again gives the same digest, and a changed bundle another one', async () => {
  const first = await buildRelease(platform, { bundleDir, cacheDir })
  assert.equal((await buildRelease(platform, { bundleDir, cacheDir })).digest, first.digest)
  await writeFile(join(bundleDir, 'agent.mjs'), 'another agent')
  const changed = await buildRelease(platform, { bundleDir, cacheDir })
  assert.notEqual(changed.digest, first.digest)
  assert.equal(blobAt(changed, 'agent/agent.mjs').sha256, sha256('another agent'))
})

test('a blob is packed once and unpacks to itself', async () => {
  const release = await buildRelease(platform, { bundleDir, cacheDir })
  const { sha256: digest } = blobAt(release, 'fonts/DejaVuSans.ttf')
  const packed = await release.pack(digest, 'zstd')
  const before = await stat(packed.path)
  assert.equal(before.size, packed.wireBytes)
  assert.equal(sha256(zstdDecompressSync(await readFile(packed.path))), digest)
  await (await buildRelease(platform, { bundleDir, cacheDir })).pack(digest, 'zstd')
  assert.equal((await stat(packed.path)).ino, before.ino)
})

test('a large file is packed in pieces that host tools take for one', async () => {
  const source = join(root, 'large')
  const data = Buffer.alloc((8 << 20) * 2 + 17, 'cpn ')
  await writeFile(source, data)
  await compressFile(source, join(root, 'large.gz'), 'gzip')
  assert.ok(gunzipSync(await readFile(join(root, 'large.gz'))).equals(data))
  assert.equal((await readdir(root)).filter((name) => name.startsWith('large.gz')).length, 1)
})

test('a file for another machine or a missing file is refused', async () => {
  const contents = await releaseContents(platform, { bundleDir, packagesDir: cacheDir })
  const other = platform === 'linux-arm64' ? 'linux-x64' : 'linux-arm64'
  await assert.rejects(checkContents(other, contents), { code: 'CPN_ERR_RELEASE_BUILD' })
  const moved = contents.map((file) =>
    file.path === 'bin/node' ? { ...file, source: join(bundleDir, 'worker.mjs') } : file,
  )
  await assert.rejects(checkContents(platform, moved), /bin\/node is for no known machine/)
  const less = contents.filter(({ path }) => !path.endsWith('onnxruntime_binding.node'))
  await assert.rejects(checkContents(platform, less), /onnxruntime_binding/)
})

test('without the bundle it says how to make it', async () => {
  await assert.rejects(buildRelease(platform, { bundleDir: join(root, 'nowhere'), cacheDir }), {
    code: 'CPN_ERR_RELEASE_BUILD',
    suggestions: ['Run `npm run build` in a checkout; install cpn again elsewhere.'],
  })
})
