// Programs of the checkout that this action came with.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { within } from './deadline.js'

const LONGEST = 240 // seconds; an installation on a slow machine takes half of it

/** The checkout: this file is .github/actions/setup/dist/index.cjs of it. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..')

/**
 * Run a program and return its stdout; what it says goes to the log, unless `quiet`.
 * Throws with what it says is wrong when it fails, and when it takes longer than any of ours may.
 * `given` is its stdin.
 */
export async function run(program, parts, { env = {}, given = '', quiet = false } = {}) {
  const child = spawn(path.join(ROOT, program), parts, {
    env: { ...process.env, ...env },
    stdio: 'pipe'
  })
  try {
    return await within(LONGEST, `${program} ${parts[0]}`, end(child, program, parts, given, quiet))
  } finally {
    child.kill('SIGKILL') // does nothing to one that has ended
  }
}

function end(child, program, parts, given, quiet) {
  return new Promise((resolve, reject) => {
    let out = ''
    let said = ''
    child.stdout.on('data', (data) => {
      out += data
      if (!quiet) process.stdout.write(data)
    })
    child.stderr.on('data', (data) => {
      said += data
      if (!quiet) process.stdout.write(data)
    })
    child.stdin.on('error', () => {}) // it ended without reading: its exit code says why
    child.stdin.end(given)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const why = wrong(program, said) || signal || `exit code ${code}`
      if (code === 0) resolve(out)
      else reject(new Error(`${program} ${parts[0]}: ${why}`))
    })
  })
}

/** Return the line in which a program of ours says what is wrong, else its last one. */
export function wrong(program, said) {
  const lines = said.split('\n').map((line) => line.trim()).filter(Boolean)
  const own = lines.find((line) => line.startsWith(`${program}: `))
  return own ? own.slice(program.length + 2) : lines.at(-1)
}

/** Run `gh p2pcache PARTS`. */
export const p2pcache = (parts, options) => run('gh-p2pcache', parts, options)
