import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { onExit } from './exit-cleanup.ts'
import { repositoryRoot } from './shared.ts'

let made: Promise<string> | undefined

/** A folder with agent.mjs and worker.mjs made of the sources as they are now; removed when the test process ends. */
export function agentBundle(): Promise<string> {
  made ??= bundle()
  return made
}

async function bundle(): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), 'cpn-bundle-'))
  onExit(() => rmSync(outdir, { recursive: true, force: true }))
  const require =
    "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"
  await build({
    absWorkingDir: repositoryRoot,
    entryPoints: { agent: 'src/agent/main.ts', worker: 'src/agent/worker.ts' },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    external: ['onnxruntime-node', 'sharp', '@julusian/jpeg-turbo', 'libheif-js', 'libraw-wasm'],
    banner: { js: require },
    logLevel: 'error',
  })
  return outdir
}
