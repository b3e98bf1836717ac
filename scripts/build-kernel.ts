// Compiles src/matching/dot-products.wat and keeps the bytes in dot-products-bytes.ts, so that neither a build nor a
// node needs the compiler: npm run build:kernel
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import loadWabt from 'wabt'

const folder = join(import.meta.dirname, '..', 'src', 'matching')

/** The module's bytes, as wabt makes them from the text. */
export async function compileKernel(): Promise<Uint8Array> {
  const wabt = await loadWabt()
  const module = wabt.parseWat('dot-products.wat', readFileSync(join(folder, 'dot-products.wat'), 'utf8'))
  module.validate()
  return module.toBinary({}).buffer
}

if (import.meta.main) {
  const lines = Buffer.from(await compileKernel())
    .toString('base64')
    .match(/.{1,100}/g)!
  const text = [
    '// Made by scripts/build-kernel.ts from dot-products.wat; do not edit.',
    'export const kernelBytes =',
    `${lines.map((line) => `  '${line}'`).join(' +\n')}`,
  ].join('\n')
  writeFileSync(join(folder, 'dot-products-bytes.ts'), `${text}\n`)
}
