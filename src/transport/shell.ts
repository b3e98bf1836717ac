/** One argument for a POSIX shell. */
export function quote(argument: string): string {
  return /^[A-Za-z0-9_/.:=,@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}

/** A path on a host for a POSIX shell; a leading `~/` becomes the remote home. */
export function quotePath(path: string): string {
  if (path === '~') return '"$HOME"'
  return path.startsWith('~/') ? `"$HOME"/${quote(path.slice(2))}` : quote(path)
}

/**
 * A command line that runs `script` in /bin/sh whatever the login shell is. Only letters, digits, backslashes and
 * spaces stand between the single quotes, because csh and fish read quotes, `!` and newlines there in their own ways.
 */
export function posixCommand(script: string): string {
  const encoded = [...Buffer.from(script)]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[A-Za-z0-9 /._:=,@+]/.test(char) ? char : `\\${byte.toString(8).padStart(3, '0')}`
    })
    .join('')
  return `/bin/sh -c 'eval "$(printf "${encoded}")"'`
}
