// Programs of the checkout that this action came with.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout: this file is .github/actions/setup/dist/index.cjs of it. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..')

/**
 * Run a program and return its stdout; what it says goes to the log, unless `quiet`.
 * Throws with its last line when it fails. `given` is its stdin.
 */
export function run(program, parts, { env = {}, given = '', quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(path.join(ROOT, program), parts, {
      env: { ...process.env, ...env },
      stdio: 'pipe'
    })
    let out = ''
    let last = ''
    const hear = (data) => {
      last = String(data).trim() ? String(data).trim().split('\n').at(-1) : last
      if (!quiet) process.stdout.write(data)
    }
    child.stdout.on('data', (data) => {
      out += data
      hear(data)
    })
    child.stderr.on('data', hear)
    child.stdin.on('error', () => {}) // it ended without reading: its exit code says why
    child.stdin.end(given)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out)
      else reject(new Error(`${program} ${parts[0]}: ${last || (signal ?? `exit code ${code}`)}`))
    })
  })
}

/** Run `gh p2pcache PARTS`. */
export const p2pcache = (parts, options) => run('gh-p2pcache', parts, options)
