import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, Script } from 'node:vm'

export interface RawPreview {
  /** A JPEG. */
  bytes: Uint8Array
  /** EXIF orientation, 1 to 8, of what the sensor saw. */
  orientation: number
  sensor: { width: number; height: number }
}

type Library = Awaited<ReturnType<typeof instance>>

/** The module was built to begin with this, most of which stays untouched; what it may have at most is our choice. */
const pages = { initial: 4096, maximum: 16_384 }
/** LibRaw's flip, 0 to 7, as EXIF orientation. */
const orientations = [1, 2, 4, 3, 5, 8, 6, 7]

/** LibRaw takes some ten milliseconds for a preview, and on some damaged files it never ends. */
const usualLimitMs = 10_000

let kept: Library | undefined

/**
 * The largest JPEG preview in a raw photo, found by LibRaw as WebAssembly: whatever a file does to it stays in its own
 * memory. Undefined for a photo that has none; rejects for what is no raw photo.
 * @param limitMs how long it may take
 */
export async function largestPreview(file: Uint8Array, limitMs = usualLimitMs): Promise<RawPreview | undefined> {
  const library = kept ?? (await instance())
  // One that has failed is not used again.
  kept = undefined
  const { flip, raw_width, raw_height, preview } = within(limitMs, () => read(library, file))
  kept = library
  if (preview?.format !== 'jpeg') return undefined
  return {
    bytes: preview.data,
    orientation: orientations[flip] ?? 1,
    sensor: { width: raw_width, height: raw_height },
  }
}

function read(library: Library, file: Uint8Array) {
  const photo = new library.LibRaw()
  photo.open(file, {})
  const found = { ...photo.metadata(false), preview: photo.thumbnailData() }
  photo.delete()
  return found
}

const place: { step?: () => unknown } = createContext({})
const step = new Script('step()')

/** Ends what does not end by itself, WebAssembly as well: timers would wait for it. */
function within<T>(limitMs: number, run: () => T): T {
  place.step = run
  try {
    return step.runInContext(place, { timeout: limitMs }) as T
  } finally {
    delete place.step
  }
}

async function instance() {
  const { default: factory } = await import('libraw-wasm/dist/libraw.js')
  const file = fileURLToPath(import.meta.resolve('libraw-wasm/dist/libraw.wasm'))
  const module = new WebAssembly.Module(readFileSync(file))
  return factory({
    wasmMemory: new WebAssembly.Memory({ ...pages, shared: true }),
    instantiateWasm: (imports, done) => done(new WebAssembly.Instance(module, imports), module),
    print() {},
    printErr() {},
  })
}
