import { setFlagsFromString } from 'node:v8'

/**
 * For a process through which images or uploads pass: their buffers count as memory of the heap, which is small. Without
 * this it is collected whole every fifteen images or so, for a quarter of the process's time.
 */
export function collectGarbageLessOften(): void {
  // The heap may grow threefold between two collections, as V8 lets larger heaps do by itself.
  setFlagsFromString('--heap-growing-percent=200')
}
