// Builds dist/: the master's commands, and the agent's two programs as bundles that a release carries as files.
import { globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Plugin } from '@oclif/core'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** What ssh2 does without where it is not built. */
const optionalNatives = ['cpu-features', '*.node']
/** Parts of libraries that nothing here uses, but that load HTTPS and HTTP/2 of Node.js with every start. */
const unused = /\/node_modules\/(?:ssh2\/lib\/(?:http-agents|keygen|server)|undici\/lib\/dispatcher\/client-h2)\.js$/
const leaveOut = {
  name: 'leave-out',
  setup(build) {
    build.onLoad({ filter: unused }, () => ({ contents: 'module.exports = {}' }))
  },
}

rmSync(join(root, 'dist'), { recursive: true, force: true })

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  // What libraries that are CommonJS take for granted.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module'",
      'const require = __createRequire(import.meta.url), __dirname = import.meta.dirname',
    ].join('\n'),
  },
  legalComments: 'none',
  logLevel: 'warning',
}

// A command starts faster with its libraries in a few files than in hundreds. oclif finds commands by their files.
const { metafile } = await build({
  ...common,
  entryPoints: globSync('src/{main,commands/**/*,**/*-thread}.ts', { cwd: root }),
  outbase: 'src',
  outdir: 'dist',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  external: [...optionalNatives, 'sharp'],
  metafile: true,
  plugins: [leaveOut],
})
writeFileSync(join(root, 'dist', 'LICENSES.txt'), licences(Object.keys(metafile.inputs)))

// Native packages stay outside: a release carries their files for its own platform only. So do the decoders that are
// WebAssembly: their licence, the LGPL, wants them in files that can be replaced.
await build({
  ...common,
  entryPoints: { agent: 'src/agent/main.ts', worker: 'src/agent/worker.ts' },
  outdir: 'dist/bundle',
  outExtension: { '.js': '.mjs' },
  external: ['onnxruntime-node', 'sharp', '@julusian/jpeg-turbo', 'libheif-js', 'libraw-wasm'],
})

// With the commands' names and flags in one file, `cpn` loads only the command that it runs.
const plugin = new Plugin({ root, isRoot: true, ignoreManifest: true, errorOnManifestCreate: true })
await plugin.load()
writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest)}\n`)

/** What the libraries in dist/ want to be handed on with them. */
function licences(files) {
  const folders = new Set(files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []))
  return [...folders].sort().map(licenceOf).join('\n')
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : `Licence: ${license}`
  return `${name} ${version}\n\n${text}\n\n${'-'.repeat(80)}\n`
}
