const cleanups = new Set<() => void>()

/**
 * Runs `cleanup` (synchronous) when this process ends, also by Ctrl-C or SIGTERM. The answer takes it back: call it when
 * the thing has been cleaned up in the ordinary way.
 */
export function onExit(cleanup: () => void): () => void {
  if (cleanups.size === 0) listen('on')
  cleanups.add(cleanup)
  return () => {
    cleanups.delete(cleanup)
    if (cleanups.size === 0) listen('off')
  }
}

function listen(how: 'on' | 'off'): void {
  process[how]('exit', runAll)
  process[how]('SIGINT', endBySignal)
  process[how]('SIGTERM', endBySignal)
}

function runAll(): void {
  for (const cleanup of cleanups) {
    try {
      cleanup()
    } catch (error) {
      console.error('while cleaning up after a test:', error)
    }
  }
}

function endBySignal(signal: NodeJS.Signals): void {
  runAll()
  cleanups.clear()
  listen('off')
  process.kill(process.pid, signal)
}
