/** The WebAssembly module itself; the package's index runs it in a Worker of a browser. */
declare module 'libraw-wasm/dist/libraw.js' {
  interface Photo {
    /** Reads the headers; no pixel is decoded. */
    open(file: Uint8Array, settings: object): void
    metadata(full: boolean): { raw_width: number; raw_height: number; flip: number }
    /** The largest preview. */
    thumbnailData(): { data: Uint8Array; width: number; height: number; format: string } | undefined
    delete(): void
  }

  interface Options {
    wasmMemory: WebAssembly.Memory
    instantiateWasm(
      imports: Record<string, Record<string, unknown>>,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ): void
    print(): void
    printErr(): void
  }

  export default function factory(options: Options): Promise<{ LibRaw: new () => Photo }>
}
