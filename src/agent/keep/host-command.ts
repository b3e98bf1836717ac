import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program of the host, with the user's own session bus. Its stdout, or undefined when it failed. */
export async function hostCommand(program: string, args: string[], timeoutMs = 10_000): Promise<string | undefined> {
  try {
    return (await execute(program, args, { timeout: timeoutMs, env: sessionEnvironment() })).stdout
  } catch {
    return undefined
  }
}

/** Over SSH without PAM nobody has set where the user's systemd listens. */
function sessionEnvironment(): NodeJS.ProcessEnv {
  const runtimeDir = `/run/user/${process.getuid?.()}`
  if (process.env.XDG_RUNTIME_DIR || !existsSync(runtimeDir)) return process.env
  return { ...process.env, XDG_RUNTIME_DIR: runtimeDir }
}
