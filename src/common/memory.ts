/**
 * Gives the memory of bytes back at once: waiting for garbage collection, it would count as part of the heap and bring
 * the next collection forward. The bytes are empty afterwards. Those that share their memory with others are left alone.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
