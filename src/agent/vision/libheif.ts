import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Raster } from './raster.ts'
import type { Scratch } from './scratch.ts'

/** The primary picture of a HEIC; good until `use` returns. */
export interface HeifPicture {
  /** As a viewer shows it: what the file says about turning, mirroring and cropping is applied. */
  width: number
  height: number
  /** EXIF block (TIFF structure). Its orientation is not for HEIC, whose own boxes say how a picture stands. */
  exif: Uint8Array | undefined
  icc: Uint8Array | undefined
  /**
   * Decodes it, with alpha where the file has it.
   * @param maxPixels of any picture inside, whatever the header says
   */
  pixels(maxPixels: number, scratch: Scratch): Raster
}

/** The functions of libheif's C interface that are used; numbers are addresses in its memory. */
interface Libheif {
  HEAPU8: Uint8Array
  HEAPU32: Uint32Array
  _malloc(bytes: number): number
  _free(address: number): void
  _heif_context_alloc(): number
  _heif_context_free(context: number): void
  _heif_context_read_from_memory_without_copy(
    error: number,
    context: number,
    file: number,
    bytes: number,
    options: number,
  ): void
  _heif_context_set_maximum_image_size_limit(context: number, edge: number): void
  _heif_context_get_primary_image_handle(error: number, context: number, handle: number): void
  _heif_image_handle_release(handle: number): void
  _heif_image_handle_get_width(handle: number): number
  _heif_image_handle_get_height(handle: number): number
  _heif_image_handle_has_alpha_channel(handle: number): number
  _heif_image_handle_get_raw_color_profile_size(handle: number): number
  _heif_image_handle_get_raw_color_profile(error: number, handle: number, to: number): void
  _heif_image_handle_get_list_of_metadata_block_IDs(handle: number, type: number, ids: number, count: number): number
  _heif_image_handle_get_metadata_size(handle: number, id: number): number
  _heif_image_handle_get_metadata(error: number, handle: number, id: number, to: number): void
  _heif_decode_image(error: number, handle: number, image: number, space: number, chroma: number, options: number): void
  _heif_image_release(image: number): void
  _heif_image_get_plane_readonly(image: number, channel: number, stride: number): number
}

type Factory = (module: { wasmBinary: Uint8Array; print(): void; printErr(): void }) => Libheif

const rgbColourspace = 1
const interleavedChannel = 10
const interleaved = { rgb: 10, rgba: 11 }
/** Memory of an instance never shrinks: one that has grown beyond this is not kept for the next picture. */
const keptBytes = 128 * 1024 ** 2

let kept: Libheif | undefined

/**
 * Reads a HEIC with libheif as WebAssembly: whatever a file does to it stays in its own memory.
 * Rejects with an Error in the decoder's words.
 */
export async function readHeif<T>(file: Uint8Array, use: (picture: HeifPicture) => T): Promise<T> {
  const heif = kept ?? (await instance())
  // One that has failed is not used again: the collector takes it, with all that it has allocated.
  kept = undefined
  const opened = new Session(heif, file)
  const result = use(opened.picture())
  opened.close()
  if (heif.HEAPU8.length <= keptBytes) kept = heif
  return result
}

async function instance(): Promise<Libheif> {
  const library = (await import('libheif-js/libheif-wasm/libheif.js')) as unknown as { default: Factory }
  const wasm = fileURLToPath(import.meta.resolve('libheif-js/libheif-wasm/libheif.wasm'))
  return library.default({ wasmBinary: readFileSync(wasm), print() {}, printErr() {} })
}

/** One file in an instance. */
class Session {
  readonly #heif: Libheif
  readonly #context: number
  readonly #file: number
  readonly #fileBytes: number
  /** Room for an error (code, subcode, message) and for one number that is handed back. */
  readonly #error: number
  readonly #back: number
  #handle = 0

  constructor(heif: Libheif, file: Uint8Array) {
    this.#heif = heif
    this.#fileBytes = file.length
    this.#error = this.#allocate(16)
    this.#back = this.#error + 12
    this.#file = this.#allocate(file.length)
    heif.HEAPU8.set(file, this.#file)
    this.#context = heif._heif_context_alloc()
  }

  picture(): HeifPicture {
    const heif = this.#heif
    this.#try((error) =>
      heif._heif_context_read_from_memory_without_copy(error, this.#context, this.#file, this.#fileBytes, 0),
    )
    this.#try((error) => heif._heif_context_get_primary_image_handle(error, this.#context, this.#back))
    const handle = this.#handedBack()
    this.#handle = handle
    return {
      width: heif._heif_image_handle_get_width(handle),
      height: heif._heif_image_handle_get_height(handle),
      exif: this.#exif(handle),
      icc: this.#block(heif._heif_image_handle_get_raw_color_profile_size(handle), (error, to) =>
        heif._heif_image_handle_get_raw_color_profile(error, handle, to),
      ),
      pixels: (maxPixels, scratch) => this.#decode(handle, maxPixels, scratch),
    }
  }

  close(): void {
    this.#heif._heif_image_handle_release(this.#handle)
    this.#heif._heif_context_free(this.#context)
    this.#heif._free(this.#file)
    this.#heif._free(this.#error)
  }

  #decode(handle: number, maxPixels: number, scratch: Scratch): Raster {
    const heif = this.#heif
    heif._heif_context_set_maximum_image_size_limit(this.#context, Math.ceil(Math.sqrt(maxPixels)))
    const alpha = heif._heif_image_handle_has_alpha_channel(handle) !== 0
    const layout = alpha ? interleaved.rgba : interleaved.rgb
    this.#try((error) => heif._heif_decode_image(error, handle, this.#back, rgbColourspace, layout, 0))
    const image = this.#handedBack()
    const plane = heif._heif_image_get_plane_readonly(image, interleavedChannel, this.#back)
    const stride = this.#handedBack()
    const width = heif._heif_image_handle_get_width(handle)
    const height = heif._heif_image_handle_get_height(handle)
    const channels = alpha ? 4 : 3
    const data = scratch.take(width * height * channels)
    for (let row = 0; row < height; row++) {
      const from = plane + row * stride
      data.set(heif.HEAPU8.subarray(from, from + width * channels), row * width * channels)
    }
    heif._heif_image_release(image)
    return { data, width, height, channels }
  }

  /** The block begins with how far behind it the TIFF structure is. */
  #exif(handle: number): Uint8Array | undefined {
    const heif = this.#heif
    const type = this.#allocate(8)
    heif.HEAPU8.set(Buffer.from('Exif\0', 'latin1'), type)
    const count = heif._heif_image_handle_get_list_of_metadata_block_IDs(handle, type, this.#back, 1)
    heif._free(type)
    if (count < 1) return undefined
    const id = this.#handedBack()
    const block = this.#block(heif._heif_image_handle_get_metadata_size(handle, id), (error, to) =>
      heif._heif_image_handle_get_metadata(error, handle, id, to),
    )
    return block && block.length > 4 ? block.subarray(4 + Buffer.from(block.buffer).readUInt32BE(0)) : undefined
  }

  /** A copy of what `read` writes; undefined for nothing, and for what a file of this size cannot hold. */
  #block(bytes: number, read: (error: number, to: number) => void): Uint8Array | undefined {
    if (bytes === 0 || bytes > this.#fileBytes) return undefined
    const to = this.#allocate(bytes)
    this.#try((error) => read(error, to))
    const block = Uint8Array.from(this.#heif.HEAPU8.subarray(to, to + bytes))
    this.#heif._free(to)
    return block
  }

  #allocate(bytes: number): number {
    const address = this.#heif._malloc(bytes)
    if (address === 0) throw new Error('the decoder has no memory left')
    return address
  }

  #handedBack(): number {
    return this.#heif.HEAPU32[this.#back >>> 2]!
  }

  #try(call: (error: number) => void): void {
    try {
      call(this.#error)
    } catch (cause) {
      // A trap, or a C++ exception that nobody caught.
      throw new Error('the decoder gave up', { cause })
    }
    const [code, , message] = this.#heif.HEAPU32.subarray(this.#error >>> 2, (this.#error >>> 2) + 3)
    if (code === 0) return
    const memory = Buffer.from(this.#heif.HEAPU8.buffer, message, 512)
    throw new Error(memory.toString('utf8', 0, Math.max(0, memory.indexOf(0))) || `the decoder's error ${code}`)
  }
}
