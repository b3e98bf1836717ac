import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemErrorCode } from '../../../src/common/errors.ts'
import { onExit } from '../../helpers/exit-cleanup.ts'

/** Mounts a file system of its own size on a folder, which is made. */
export function mountDisk(folder: string, megabytes: number, uid = 0): Disposable {
  mkdirSync(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755,uid=${uid}`, 'tmpfs', folder])
  const unmount = (): void => void execFileSync('umount', ['-l', folder])
  const forget = onExit(unmount)
  return {
    [Symbol.dispose]: () => {
      forget()
      unmount()
    },
  }
}

/** Fills the disk of a folder to its last byte; disposing gives the space back. */
export function fillDisk(folder: string): Disposable {
  const path = join(folder, '.filler')
  const file = openSync(path, 'w')
  try {
    for (let size = 1 << 20; size >= 512; ) size = writes(file, size) ? size : size / 2
  } finally {
    closeSync(file)
  }
  return { [Symbol.dispose]: () => existsSync(path) && rmSync(path) }
}

function writes(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes, 1)) > 0
  } catch (error) {
    if (systemErrorCode(error) === 'ENOSPC') return false
    throw error
  }
}
